// The requests that change a name on the source.
#include <sys/stat.h>

#include "tests/remote/source/sftp/change_fixture.hpp"

namespace ferryfs::test {
namespace {

using remote::cause;
using remote::sftp::change;
using remote::sftp::status;
using remote::sftp::type;

}  // namespace

TEST_CASE("change task: what is answered after its end changes nothing", "[write]") {
  fake_request_sender sender;
  int ends = 0;
  const auto kind = GENERATE(change::what::link, change::what::directory);
  const auto task = std::make_shared<remote::sftp::change_task>(change{kind, "a", "b", 0755},
                                                                [&](const auto&, const auto&) { ++ends; });
  task->start(sender);
  task->lost({cause::timeout, "overtaken"});
  sender.answer(status_reply(status::ok));
  CHECK(sender.open().empty());
  CHECK(ends == 1);
}

TEST_CASE("change task: a rename to a taken name is told as that, and is never one that replaces", "[write]") {
  change_fixture f{{change::what::name, "new", "old"}};
  auto sent = f.sender.open().at(0).body();
  CHECK(f.sender.open().at(0).type() == type::rename);
  CHECK(sent.string() == "/root/old");
  CHECK(sent.string() == "/root/new");
  f.sender.answer(type::rename, status_reply(status::failure));
  CHECK(f.ends == 0);
  SECTION("taken") {
    f.sender.answer(type::lstat, reply{type::attrs}.attrs(S_IFREG | 0600, 6, 1));
    CHECK(f.why->why == cause::exists);
  }
  SECTION("something else is wrong") {
    f.sender.answer(type::lstat, status_reply(status::no_such_file));
    CHECK(f.why->why == cause::source_error);
  }
}

TEST_CASE("change task: one that replaces is OpenSSH's own", "[write]") {
  change_fixture f{{change::what::replacement, "new", "old"}};
  auto sent = f.sender.open().at(0).body();
  CHECK(sent.string() == "posix-rename@openssh.com");
  CHECK(sent.string() == "/root/old");
  CHECK(sent.string() == "/root/new");
  f.sender.answer(type::extended, ok);
  f.sender.answer(type::lstat, reply{type::attrs}.attrs(S_IFREG | 0600, 6, 1));
  CHECK_FALSE(f.why);
  CHECK(f.there.size == 6);
}

TEST_CASE("change task: a directory gets its mode past the server's umask", "[write]") {
  change_fixture f{{change::what::directory, "2013", {}, 0775}};
  f.sender.answer(type::mkdir, ok);
  REQUIRE(f.sender.count(type::setstat) == 1);
  auto set = f.sender.open().at(0).body();
  set.string();
  CHECK(set.attrs().mode == 0775);
  f.sender.answer(type::setstat, ok);
  f.sender.answer(type::lstat, reply{type::attrs}.attrs(S_IFDIR | 0775, 6, 1));
  CHECK_FALSE(f.why);
}

TEST_CASE("change task: a directory that is there keeps its mode", "[write]") {
  change_fixture f{{change::what::directory, "2013", {}, 0775}};
  f.sender.answer(type::mkdir, status_reply(status::failure));
  CHECK(f.sender.count(type::setstat) == 0);
  f.sender.answer(type::lstat, reply{type::attrs}.attrs(S_IFDIR | 0700, 6, 1));
  CHECK(f.why->why == cause::exists);
}

TEST_CASE("change task: a server that makes no links says so", "[write]") {
  change_fixture f{{change::what::link, "latest.jpg", "1.jpg"}};
  f.sender.answer(type::symlink, status_reply(status::unsupported, "operation unsupported"));
  f.sender.answer(type::lstat, status_reply(status::no_such_file));
  REQUIRE(f.ends == 1);
  CHECK_THAT(f.why->text, contains_text("latest.jpg: operation unsupported"));
}

TEST_CASE("change task: what was made as a link is one, also where LSTAT shows what it leads to", "[write]") {
  change_fixture f{{change::what::link, "latest.jpg", "1.jpg"}};
  f.sender.answer(type::symlink, ok);
  f.sender.answer(type::readlink, reply{type::name}.u32(1).string("target").string("").u32(0));
  f.sender.answer(type::readlink, not_there);
  f.sender.answer(type::remove, ok);
  f.sender.answer(type::symlink, ok);
  SECTION("a picture") { f.sender.answer(type::lstat, reply{type::attrs}.attrs(S_IFREG | 0600, 123, 1)); }
  SECTION("nothing") { f.sender.answer(type::lstat, status_reply(status::no_such_file)); }
  REQUIRE(f.ends == 1);
  CHECK_FALSE(f.why);
  CHECK(S_ISLNK(f.there.mode));
  CHECK(f.there.size == 5);
}

}  // namespace ferryfs::test
