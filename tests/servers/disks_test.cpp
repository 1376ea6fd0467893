// A rehearsal on each kind of disk: mounted over it, filled, used, taken off; what stays is what it should be.
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "tests/doubles/disk.hpp"
#include "tests/mount/ferry.hpp"

using namespace ferryfs::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

// The daily work in a picture store, in the mount and in a plain directory alike.
void use(const fs::path& at) {
  write_file(at / "20240101/upload.tmp", noise(300'000, 71));
  fs::rename(at / "20240101/upload.tmp", at / "20240101/upload.jpg");
  fs::rename(at / "20240101/1.jpg", at / "20240103/one.jpg");
  fs::rename(at / "20240103", at / "renamed");
  fs::remove(at / "20240101/2.jpg");
  fs::create_directories(at / "new/deeper");
  write_file(at / "new/deeper/a.jpg", noise(50'000, 72));
  write_file(at / "20240101/sensors.log", read_file(at / "20240101/sensors.log") + "one more line\n");
  fs::resize_file(at / "20240101/3.jpg", 1000);
  write_file(at / "20240102/beside.jpg", noise(60'000, 73));
}

struct rehearsal {
  std::unique_ptr<disk> on;
  temp_dir dir{"rehearsal"};
  fs::path from = dir / "source", model = dir / "model", to;

  // `below` the disk's root: ntfs-3g and others have directories of their own there.
  explicit rehearsal(const std::string& kind) : on(make_disk(kind)), to(on->root()) {
    need_fuse();
    for (const char* day : {"20240101", "20240102", "20240103"})
      for (int i = 0; i < 20; ++i)
        write_old(from / day / (std::to_string(i) + ".jpg"), noise(40'000, static_cast<unsigned>(i)));
    write_old(from / "20240102/large.raw", noise(5'000'000, 99));
    write_old(from / "20240101/sensors.log", "a line\n");
    write_old(from / "empty.jpg", "");
    write_old(from / "na\xc3\xafve caf\xc3\xa9.jpg", noise(1000));
    fs::create_symlink("20240101/0.jpg", from / "last.jpg");
    fs::create_directories(from / "nothing/here");
    fs::copy(from, model, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  }

  mount_options options() const {
    mount_options o;
    o.source = from;
    o.destination = to;
    o.arguments = {"--min-free", "0"};
    return o;
  }
  // The disk's own directories count no more than ferryfs's.
  tree here() const {
    auto all = contents_below(to);
    std::erase_if(all, [](const auto& e) { return e.first.starts_with(".") || e.first.starts_with("lost+found"); });
    return all;
  }
  nlohmann::json disk_of_status() const {
    return nlohmann::json::parse(run_ferryfs({"status", "--json", to}).out).at("disk");
  }

  void run_all() {
    {
      mount_fixture mount{options()};
      mount.expect_log("can't do");
      CHECK(read_file(mount / "20240102/5.jpg") == noise(40'000, 5));
      REQUIRE(run_ferryfs({"status", to, "--wait", "60"}).code == 0);
      CHECK(difference(contents_below(from), here()) == "");
      use(mount.mountpoint());
      use(model);
      CHECK(difference(contents_below(model), here()) == "");
      CHECK(mount.stop() == 0);
    }
    CHECK(difference(contents_below(model), here()) == "");
    {
      mount_fixture again{options()};
      again.expect_log("can't do");
      rescan_all();
      CHECK(difference(contents_below(model), here()) == "");
      CHECK(again.stop() == 0);
    }
    CHECK(difference(contents_below(model), here()) == "");
    std::cout << run_ferryfs({"status", "--verbose", to}).out;
  }

 private:
  void rescan_all() const {
    const auto result = run_ferryfs({"ctl", to, "rescan"});
    INFO(result.err);
    CHECK(result.code == 0);
  }
};

}  // namespace

TEST_CASE("a destination on ext4", "[slow]") { rehearsal("ext4").run_all(); }
TEST_CASE("a destination on XFS", "[slow]") { rehearsal("xfs").run_all(); }
TEST_CASE("a destination on btrfs, a day of which is a subvolume", "[slow]") { rehearsal("btrfs").run_all(); }
TEST_CASE("a destination on tmpfs", "[slow]") { rehearsal("tmpfs").run_all(); }
TEST_CASE("a destination on ntfs-3g", "[slow]") { rehearsal("ntfs-3g").run_all(); }
TEST_CASE("a destination on mergerfs without shared memory", "[slow]") { rehearsal("mergerfs").run_all(); }
TEST_CASE("a destination on GlusterFS", "[slow]") { rehearsal("glusterfs").run_all(); }

TEST_CASE("a destination that takes A and a for the same", "[slow]") {
  rehearsal r{"lowntfs-3g"};
  write_old(r.from / "20240101/A.JPG", noise(7000, 1));
  write_old(r.from / "20240101/a.jpg", noise(7000, 2));
  write_old(r.from / "Day/first.jpg", noise(7000, 3));
  write_old(r.from / "day/second.jpg", noise(7000, 4));
  const auto result = run_ferryfs({"sync", r.from, r.to, "--min-free", "0"});
  INFO(result.err);
  CHECK(result.code == 1);
  CHECK_THAT(result.err, contains_text("does not tell A from a"));
  const auto status = nlohmann::json::parse(run_ferryfs({"status", "--json", r.to}).out);
  CHECK(status["failed"]["files"] == 2);
  CHECK(status["conflict"]["files"] == 0);
  // The reason, behind a tab, names the one that came first.
  const auto failed = run_ferryfs({"report", r.to, "--list", "failed"}).out;
  CHECK((failed.find("/A.JPG\t") != std::string::npos) != (failed.find("/a.jpg\t") != std::string::npos));
  CHECK((failed.find(" Day/") != std::string::npos) != (failed.find(" day/") != std::string::npos));
  // Whichever came first is whole, under its own name, also after a look at the disk.
  const auto scanned = run_ferryfs({"scan", r.to});
  CHECK(scanned.code == 1);
  const auto again = nlohmann::json::parse(run_ferryfs({"status", "--json", r.to}).out);
  CHECK(again["common"] == status["common"]);
  CHECK(again["new"]["files"] == 0);
  const auto expected = contents_below(r.from);
  for (const auto& [path, content] : r.here()) {
    INFO(path);
    CHECK(expected.at(path) == content);
  }
}
