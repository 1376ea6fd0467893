// A destination that another ferryfs holds, or whose index can't be used.
#include "tests/catch.hpp"
#include "tests/doubles/temp_dir.hpp"
#include "tests/doubles/wait_until.hpp"
#include "tests/mount/mount_fixture.hpp"
#include "tests/mount/trees.hpp"
#include "tests/scripts/refusal.hpp"

using namespace ferryfs::test;
namespace fs = std::filesystem;

namespace {

struct place {
  temp_dir dir{"bad-index"};
  fs::path from = dir / "source";
  fs::path to = dir / "destination";
  fs::path index = to / ".ferryfs/index.db";

  place() { write_old(from / "20240101/a.jpg", noise(1000)); }
  void make_archive() const { REQUIRE(run_ferryfs({"sync", from, to}).code == complete); }
  void forget_wal() const {
    fs::remove(index.string() + "-wal");
    fs::remove(index.string() + "-shm");
  }
};

}  // namespace

TEST_CASE("a destination that is mounted is refused to everybody else, who are told who has it") {
  const place at;
  mount_fixture mount({at.from, at.to, at.dir / "mountpoint", {}});
  const auto holder = "pid " + std::to_string(mount.pid());
  check_one_line(run_ferryfs({"sync", at.from, at.to}), local, holder);
  fs::create_directory(at.dir / "second");
  check_one_line(run_ferryfs({"mount", at.from, at.to, at.dir / "second"}), local, holder);
  check_one_line(run_ferryfs({"mount", at.from, at.to, at.dir / "mountpoint"}), usage, "busy");
  CHECK(mount.mounted());
  CHECK(read_file(mount / "20240101/a.jpg") == noise(1000));
}

TEST_CASE("a destination over which it is mounted is refused, too") {
  const place at;
  mount_fixture mount({at.from, at.to, {}, {}});
  check_one_line(run_ferryfs({"mount", at.from, at.to}), usage, "busy");
  const auto sync = run_ferryfs({"sync", at.from, at.to});
  CHECK(sync.code != complete);
  check_one_line(sync, static_cast<exit_code>(sync.code), "");
  CHECK(mount.mounted());
  CHECK(read_file(mount / "20240101/a.jpg") == noise(1000));
}

TEST_CASE("an index of a newer ferryfs is refused and left as it is") {
  const place at;
  at.make_archive();
  at.forget_wal();
  auto bytes = read_file(at.index);
  bytes.replace(60, 4, std::string("\0\0\3\xE7", 4));  // user_version, see the SQLite file format
  write_file(at.index, bytes);
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"sync", at.from, at.to}, {"mount", at.from, at.to}, {"status", at.to}, {"fetch", at.to}})
    check_one_line(run_ferryfs(words), local, "999");
  CHECK(read_file(at.index) == bytes);
  CHECK(read_file(at.to / "20240101/a.jpg") == noise(1000));
}

TEST_CASE("a damaged index is refused, says how to go on, and going on so works") {
  const place at;
  at.make_archive();
  at.forget_wal();
  SECTION("garbage") { write_file(at.index, noise(100'000)); }
  SECTION("cut short") { fs::resize_file(at.index, fs::file_size(at.index) / 2); }
  SECTION("cut within its header") { fs::resize_file(at.index, 50); }
  SECTION("garbage in the middle") {
    auto bytes = read_file(at.index);
    for (std::size_t page = 4096; page + 4096 <= bytes.size(); page += 4096) bytes.replace(page, 2048, noise(2048));
    write_file(at.index, bytes);
  }
  write_old(at.from / "20240102/b.jpg", noise(2000, 2));
  check_one_line(run_ferryfs({"sync", at.from, at.to}), local, "damaged");
  check_one_line(run_ferryfs({"status", at.to}), local, "damaged");
  CHECK(contents_below(at.to) == tree{{"20240101", "/"}, {"20240101/a.jpg", noise(1000)}});

  fs::rename(at.index, at.dir / "damaged.db");
  at.forget_wal();
  CHECK(run_ferryfs({"sync", at.from, at.to}).code == complete);
  CHECK(difference(contents_below(at.from), contents_below(at.to)) == "");
}

TEST_CASE("a destination of one source is not filled from another") {
  const place at;
  at.make_archive();
  write_old(at.dir / "other/20240101/b.jpg", noise(100));
  check_one_line(run_ferryfs({"sync", at.dir / "other", at.to}), usage, at.from);
  CHECK_FALSE(fs::exists(at.to / "20240101/b.jpg"));
}
