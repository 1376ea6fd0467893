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

TEST_CASE("a look with an answer that is none is broken") {
  stat_fixture f{"a"};
  CHECK_THROWS_AS(f.wire.answer(handle_reply("h")), broken);
  CHECK(f.ends == 0);
}

}  // namespace
}  // namespace ferryfs::test
