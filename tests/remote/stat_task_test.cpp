#include <sys/stat.h>

#include "tests/catch.hpp"
#include "tests/remote/fake_wire.hpp"

namespace ferryfs::test {
namespace {

using remote::cause;
using remote::sftp::broken;
using remote::sftp::status;
using remote::sftp::type;

struct stat_fixture {
  fake_wire wire;
  int ends = 0;
  std::optional<remote::failure> why;
  remote::attributes shown;
  std::shared_ptr<remote::sftp::stat_task> task;

  explicit stat_fixture(const std::string& path)
      : task(std::make_shared<remote::sftp::stat_task>(
            path, [this](const auto& w, const auto& a) { ++ends, why = w, shown = a; })) {
    task->start(wire);
  }
};

TEST_CASE("a path is looked at without following a link, but for the root, which may be one") {
  stat_fixture below{"2013/latest"}, root{""};
  CHECK(below.wire.open().at(0).type() == type::lstat);
  CHECK(below.wire.open().at(0).body().string() == "/root/2013/latest");
  CHECK(root.wire.open().at(0).type() == type::stat);
  CHECK(root.wire.open().at(0).body().string() == "/root");
}

TEST_CASE("a look is told what the server shows, or why it shows nothing") {
  stat_fixture f{"a"};
  SECTION("attributes") {
    f.wire.answer(reply{type::attrs}.attrs(S_IFREG | 0644, 5, 1000));
    CHECK_FALSE(f.why);
    CHECK(f.shown == remote::attributes{S_IFREG | 0644, 5, 1000});
  }
  SECTION("not there") {
    f.wire.answer(status_reply(status::no_such_file));
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

TEST_CASE("a look at what the server tells no kind of learns it, as a listing does") {
  stat_fixture f{"a"};
  const bool looks = GENERATE(true, false);
  f.wire.answer(looks ? reply{type::attrs}.attrs(0640, 5, 1000) : status_reply(status::unsupported));
  SECTION("a link") {
    f.wire.answer(type::readlink, reply{type::name}.u32(1).string("to").string("").u32(0));
    CHECK(S_ISLNK(f.shown.mode));
  }
  SECTION("a directory") {
    f.wire.answer(type::readlink, status_reply(status::failure));
    f.wire.answer(type::opendir, handle_reply("h"));
    CHECK(f.shown.mode == (looks ? S_IFDIR | 0640U : S_IFDIR | 0755U));
  }
  SECTION("a file") {
    f.wire.answer(type::readlink, status_reply(status::failure));
    f.wire.answer(type::opendir, status_reply(status::failure));
    f.wire.answer(type::open, handle_reply("h"));
    f.wire.answer(type::fstat, reply{type::attrs}.attrs(0640, 6, 2000));
    CHECK(f.shown == remote::attributes{S_IFREG | 0640, 6, 2000});
  }
  CHECK_FALSE(f.why);
  CHECK(f.ends == 1);
}

TEST_CASE("only a look at the name itself says that it is not there") {
  stat_fixture f{"a"};
  f.wire.answer(status_reply(status::unsupported));
  const bool links = GENERATE(true, false);
  f.wire.answer(type::readlink, status_reply(links ? status::no_such_file : status::unsupported));
  if (links) {
    f.wire.answer(type::opendir, status_reply(status::no_such_file));
    f.wire.answer(type::open, status_reply(status::no_such_file));
  }
  CHECK(f.ends == 1);
  CHECK(f.why.value().why == (links ? cause::not_found : cause::source_error));
}

TEST_CASE("a look with an answer that is none is broken") {
  stat_fixture f{"a"};
  CHECK_THROWS_AS(f.wire.answer(handle_reply("h")), broken);
  CHECK(f.ends == 0);
}

}  // namespace
}  // namespace ferryfs::test
