#include "tests/doubles/test_run.hpp"

#include <sys/mount.h>
#include <unistd.h>

#include <csignal>

#include "tests/catch.hpp"
#include "tests/doubles/files.hpp"
#include "tests/doubles/mounts.hpp"
#include "tests/doubles/process.hpp"
#include "tests/doubles/process_tree.hpp"
#include "tests/doubles/temp_dir.hpp"
#include "tests/doubles/wait_until.hpp"

using namespace ferryfs::test;

namespace {

bool can_mount() { return ::geteuid() == 0; }

void mount_tmpfs(const std::filesystem::path& point) {
  std::filesystem::create_directories(point);
  REQUIRE(::mount("none", point.c_str(), "tmpfs", 0, nullptr) == 0);
}

}  // namespace

TEST_CASE("a temporary directory goes with all that is in it") {
  std::filesystem::path path;
  {
    const temp_dir dir("some");
    path = dir.path();
    CHECK(path.parent_path() == test_run::directory());
    write_file(dir / "a/b/c", "text");
    CHECK(read_file(path / "a/b/c") == "text");
  }
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("a temporary directory takes mounts off first") {
  if (!can_mount()) skip("only root mounts a tmpfs");
  std::filesystem::path path;
  {
    const temp_dir dir("with a blank");
    path = dir.path();
    mount_tmpfs(dir / "mounted here");
    write_file(dir / "mounted here/file", "text");
    CHECK(is_mounted(dir / "mounted here"));
    REQUIRE(mounts_below(path).size() == 1);
    CHECK(mounts_below(path).front().type == "tmpfs");
    CHECK_FALSE(is_mounted(path));
  }
  CHECK(mounts_below(path).empty());
  CHECK_FALSE(std::filesystem::exists(path));
}

// Run by the next test, in a process of its own.
TEST_CASE("a test that hangs", "[.hangs]") {
  const temp_dir dir;
  if (can_mount()) mount_tmpfs(dir / "mnt");
  const process daemon({"setsid", "sh", "-c", "sleep 600 & sleep 600"});
  std::cout << dir.path().string() << std::endl;
  for (;;) ::pause();
}

TEST_CASE("when a test is killed the guardian cleans up after it") {
  process hanging({"/proc/self/exe", "a test that hangs"});
  REQUIRE(wait_until([&] { return hanging.out().ends_with('\n'); }));
  const auto out = hanging.out();
  const std::filesystem::path dir = out.substr(out.find('/'), out.size() - out.find('/') - 1);
  const auto mark = "FERRYFS_TEST_RUN=" + dir.parent_path().string();
  REQUIRE(wait_until([&] { return bearing(mark).size() >= 3; }));
  if (can_mount()) REQUIRE(is_mounted(dir / "mnt"));

  hanging.signal(SIGKILL);
  hanging.wait();
  CHECK(wait_until([&] { return bearing(mark).empty(); }));
  CHECK(wait_until([&] { return mounts_below(dir).empty(); }));
  CHECK(wait_until([&] { return !std::filesystem::exists(dir.parent_path()); }));
}
