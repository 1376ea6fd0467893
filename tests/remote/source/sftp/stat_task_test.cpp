#include <sys/stat.h>

#include "tests/catch.hpp"
#include "tests/remote/source/sftp/fake_request_sender.hpp"

namespace ferryfs::test {
namespace {

using remote::cause;
using remote::sftp::protocol_error;
using remote::sftp::status;
using remote::sftp::type;

struct stat_fixture {
  fake_request_sender sender;
  int ends = 0;
  std::optional<remote::failure> why;
  remote::attributes shown;
  std::shared_ptr<remote::sftp::stat_task> task;

  explicit stat_fixture(const std::string& path)
      : task(std::make_shared<remote::sftp::stat_task>(
            path, [this](const auto& w, const auto& a) { ++ends, why = w, shown = a; })) {
    task->start(sender);
  }
};

TEST_CASE("a path is looked at without following a link, but for the root, which may be one") {
  stat_fixture below{"2013/latest"}, root{""};
  CHECK(below.sender.open().at(0).type() == type::lstat);
  CHECK(below.sender.open().at(0).body().string() == "/root/2013/latest");
  CHECK(root.sender.open().at(0).type() == type::stat);
  CHECK(root.sender.open().at(0).body().string() == "/root");
}

TEST_CASE("a look is told what the server shows, or why it shows nothing") {
  stat_fixture f{"a"};
  SECTION("attributes") {
    f.sender.answer(reply{type::attrs}.attrs(S_IFREG | 0644, 5, 1000));
    CHECK_FALSE(f.why);
    CHECK(f.shown == remote::attributes{S_IFREG | 0644, 5, 1000});
  }
  SECTION("not there") {
    f.sender.answer(status_reply(status::no_such_file));
    CHECK(f.why.value().why == cause::not_found);
    CHECK(f.why->text == "user@host:22: a: no such file");
  }
  SECTION("a lost connection") {
    f.task->lost({cause::unreachable, "gone"});
    CHECK(f.why.value().why == cause::unreachable);
  }
  CHECK(f.ends == 1);
  CHECK(f.task->ended());
  f.task->lost({cause::unreachable, "gone"});
  CHECK(f.ends == 1);
}

// A look at the root, with the file system that it lies on.
struct root_fixture {
  fake_request_sender sender;
  std::optional<std::uint64_t> file_system;
  unsigned notified = 0, ends = 0;
  std::optional<remote::failure> why;
  std::shared_ptr<remote::sftp::stat_task> task;

  explicit root_fixture(bool offers = true, const std::string& path = "") {
    sender.extensions.statvfs = offers;
    task = std::make_shared<remote::sftp::stat_task>(
        path, [this](const auto& w, const auto&) { ++ends, why = w; },
        [this](std::optional<std::uint64_t> id) {
          CHECK(ends == 0);
          ++notified, file_system = id;
        });
    task->start(sender);
  }
  void show_root() { sender.answer(type::stat, reply{type::attrs}.attrs(S_IFDIR | 0755, 5, 1000)); }
  void show_file_system(std::uint64_t id) {
    reply all{type::extended_reply};
    for (std::uint64_t i = 1; i <= 8; ++i) all.u64(i);
    sender.answer(type::extended, all.u64(id).u64(0).u64(255));
  }
};

TEST_CASE("a look at the root tells the file system that it lies on, in the same round trip") {
  root_fixture f;
  REQUIRE(f.sender.count(type::extended) == 1);
  auto asked = f.sender.open().at(1).body();
  CHECK(asked.string() == "statvfs@openssh.com");
  CHECK(asked.string() == "/root");
  SECTION("answered in order") {
    f.show_root();
    CHECK(f.ends == 0);
    f.show_file_system(0xfedcba9876543210);
  }
  SECTION("answered in any order") {
    f.show_file_system(0xfedcba9876543210);
    CHECK(f.ends == 0);
    f.show_root();
  }
  CHECK(f.ends == 1);
  CHECK_FALSE(f.why);
  CHECK(f.file_system == 0xfedcba9876543210);
}

TEST_CASE("what a server does not tell of a file system is unknown, and keeps the look from nothing") {
  SECTION("it has no number for it") {
    root_fixture f;
    f.show_root();
    f.show_file_system(0);
    CHECK((f.ends == 1 && f.notified == 1 && !f.why && !f.file_system));
  }
  SECTION("it fails") {
    root_fixture f;
    f.show_root();
    f.sender.answer(type::extended, status_reply(status::failure));
    CHECK((f.ends == 1 && f.notified == 1 && !f.why && !f.file_system));
  }
  SECTION("its answer is cut off") {
    root_fixture f;
    f.show_root();
    f.sender.answer(type::extended, reply{type::extended_reply}.u64(4096));
    CHECK((f.ends == 1 && f.notified == 1 && !f.why && !f.file_system));
  }
  SECTION("it does not offer to tell it") {
    root_fixture f{false};
    CHECK(f.sender.count(type::extended) == 0);
    f.show_root();
    CHECK((f.ends == 1 && f.notified == 1 && !f.why && !f.file_system));
  }
  SECTION("the root is not there") {
    root_fixture f;
    f.show_file_system(7);
    f.sender.answer(type::stat, status_reply(status::no_such_file));
    CHECK((f.ends == 1 && f.notified == 1 && f.why && !f.file_system));
  }
  SECTION("the connection is lost between the two answers") {
    root_fixture f;
    f.show_root();
    f.task->lost({cause::unreachable, "gone"});
    CHECK((f.ends == 1 && f.notified == 1 && f.why && !f.file_system));
  }
}

TEST_CASE("a look at what the server tells no kind of learns it, as a listing does") {
  stat_fixture f{"a"};
  const bool looks = GENERATE(true, false);
  f.sender.answer(looks ? reply{type::attrs}.attrs(0640, 5, 1000) : status_reply(status::unsupported));
  SECTION("a link") {
    f.sender.answer(type::readlink, reply{type::name}.u32(1).string("to").string("").u32(0));
    CHECK(S_ISLNK(f.shown.mode));
  }
  SECTION("a directory") {
    f.sender.answer(type::readlink, status_reply(status::failure));
    f.sender.answer(type::opendir, handle_reply("h"));
    CHECK(f.shown.mode == (looks ? S_IFDIR | 0640U : S_IFDIR | 0755U));
  }
  SECTION("a file") {
    f.sender.answer(type::readlink, status_reply(status::failure));
    f.sender.answer(type::opendir, status_reply(status::failure));
    f.sender.answer(type::open, handle_reply("h"));
    f.sender.answer(type::fstat, reply{type::attrs}.attrs(0640, 6, 2000));
    CHECK(f.shown == remote::attributes{S_IFREG | 0640, 6, 2000});
  }
  CHECK_FALSE(f.why);
  CHECK(f.ends == 1);
}

TEST_CASE("only a look at the name itself says that it is not there") {
  stat_fixture f{"a"};
  f.sender.answer(status_reply(status::unsupported));
  const bool links = GENERATE(true, false);
  f.sender.answer(type::readlink, status_reply(links ? status::no_such_file : status::unsupported));
  if (links) {
    f.sender.answer(type::opendir, status_reply(status::no_such_file));
    f.sender.answer(type::open, status_reply(status::no_such_file));
  }
  CHECK(f.ends == 1);
  CHECK(f.why.value().why == (links ? cause::not_found : cause::source_error));
}

TEST_CASE("late answers to a look that was ended ask for nothing more, and leave no file open there") {
  stat_fixture f{"a"};
  f.sender.answer(status_reply(status::unsupported));
  f.sender.answer(type::readlink, status_reply(status::failure));
  const auto end = [&] { f.task->lost({cause::source_error, "overtaken"}); };
  SECTION("of its OPENDIR") {
    end();
    f.sender.answer(type::opendir, status_reply(status::failure));
  }
  SECTION("of its OPEN") {
    f.sender.answer(type::opendir, status_reply(status::failure));
    end();
    f.sender.answer(type::open, status_reply(status::failure));
  }
  SECTION("of its FSTAT") {
    f.sender.answer(type::opendir, status_reply(status::failure));
    f.sender.answer(type::open, handle_reply("h"));
    end();
    f.sender.answer(type::fstat, reply{type::attrs}.attrs(0640, 6, 2000));
    REQUIRE(f.sender.count(type::close) == 1);
    CHECK(f.sender.open().at(0).body().string() == "h");
    f.sender.answer(type::close, status_reply(status::ok));
  }
  CHECK(f.sender.open().empty());
  CHECK(f.ends == 1);
}

TEST_CASE("a look with an answer that is none is broken") {
  stat_fixture f{"a"};
  CHECK_THROWS_AS(f.sender.answer(handle_reply("h")), protocol_error);
  CHECK(f.ends == 0);
}

}  // namespace
}  // namespace ferryfs::test
