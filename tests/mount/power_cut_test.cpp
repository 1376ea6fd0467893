// The power goes while an archive is mounted, on a disk that loses all that was not synced: what was decided some
// seconds before, or was synced, is so after the next start.
#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <thread>

#include "tests/doubles/disk.hpp"
#include "tests/mount/store.hpp"

using namespace ferryfs::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

// The promise of the design: from a decision to when it survives.
constexpr auto soon = 5s;

struct cut_store {
  temp_dir dir{"cut"};
  fs::path from = dir / "source";
  std::unique_ptr<disk> on;
  std::optional<mount_fixture> mount;

  explicit cut_store(const char* kind) : on(make_disk(kind)) {
    for (const char* day : {"20240101", "20240102", "20240103"})
      for (int i = 0; i < 4; ++i)
        write_old(from / day / (std::to_string(i) + ".jpg"), noise(5'000, static_cast<unsigned>(i)));
    mount_options o;
    o.source = from, o.destination = on->root() / "archive", o.mountpoint = dir / "mountpoint";
    o.arguments = {"--paused", "--min-free", "0"};
    mount.emplace(o);
    mount->expect_log(still_says);
    mount->expect_log("");  // of a disk that has gone
    rescan(*mount / "");
    for (const char* name : {"20240101/0.jpg", "20240101/1.jpg", "20240102/0.jpg", "20240102/1.jpg"}) {
      read_file(*mount / name);
      REQUIRE(wait_until([&] { return attribute(*mount / name) == "local"; }, 20s));
    }
    ::sync();
  }
  void cut() {
    mount->kill9();
    ::umount2(mount->mountpoint().c_str(), MNT_DETACH);  // what was open through it is open on the disk until then
    on->cut_power();
    mount->start();
    rescan(*mount / "");
  }
  std::vector<std::string> names(const char* directory) const {
    std::vector<std::string> all;
    for (const auto& e : fs::directory_iterator(*mount / directory)) all.push_back(e.path().filename());
    std::sort(all.begin(), all.end());
    return all;
  }
  // All that the view shows has the bytes that it should have.
  void check_whole() const {
    for (const auto& at : fs::recursive_directory_iterator(mount->mountpoint()))
      if (at.is_regular_file() && at.path().extension() == ".jpg") CHECK(read_file(at.path()).size() == 5'000);
  }
};

using names = std::vector<std::string>;

void sync_it(const fs::path& path) {
  const descriptor fd{checked(::open(path.c_str(), O_RDONLY), path.string())};
  checked(::fsync(fd.get()), "fsync " + path.string());
}

}  // namespace

TEST_CASE("what was decided some seconds before the power went is so when it is back", "[slow]") {
  for (const char* kind : {"ext4", "xfs"}) {
    INFO(kind);
    cut_store s{kind};
    const fs::path top = s.mount->mountpoint();
    fs::remove_all(top / "20240101");
    fs::rename(top / "20240102/0.jpg", top / "20240102/common.jpg");
    fs::rename(top / "20240102/2.jpg", top / "20240102/missing.jpg");
    fs::create_directory(top / "album");
    fs::rename(top / "20240102/3.jpg", top / "album/3.jpg");
    fs::rename(top / "20240102/1.jpg", top / "20240102/3.jpg");
    fs::permissions(top / "20240103/1.jpg", fs::perms::owner_read);
    CHECK(run_ferryfs({"skip", top / "20240103/0.jpg"}).code == 0);
    fs::rename(top / "20240103", top / "third");
    std::this_thread::sleep_for(soon);  // what is promised is a time
    s.cut();
    CHECK(s.names("") == names{"20240102", "album", "third"});
    CHECK(s.names("20240102") == names{"3.jpg", "common.jpg", "missing.jpg"});
    CHECK(s.names("album") == names{"3.jpg"});
    CHECK(s.names("third") == names{"0.jpg", "1.jpg", "2.jpg", "3.jpg"});
    CHECK((fs::status(top / "third/1.jpg").permissions() & fs::perms::all) == fs::perms::owner_read);
    CHECK(files_in(top, "skipped") == 1);
    CHECK(files_in(top, "deleted") == 4);
    s.check_whole();
    // The file of decisions explains to eyes that know nothing of ferryfs why the two differ.
    CHECK(run_ferryfs({"ctl", top, "resume"}).code == 0);
    CHECK(run_ferryfs({"status", top, "--wait", "20"}).code == 0);
    CHECK(s.mount->stop() == 0);
    const auto to = s.on->root() / "archive";
    const auto checked =
        run({FERRYFS_SOURCE_DIR "/scripts/check-migration", s.from, to, "--decisions", to / ".ferryfs/decisions"}, 20s);
    INFO(checked.out << checked.err);
    CHECK(checked.code == 0);
  }
}

TEST_CASE("what was synced is so when the power goes at once", "[slow]") {
  for (const char* kind : {"ext4", "xfs"}) {
    INFO(kind);
    DYNAMIC_SECTION("a directory that pictures were removed from and renamed in, " << kind) {
      cut_store s{kind};
      const fs::path top = s.mount->mountpoint();
      fs::remove(top / "20240101/0.jpg");
      fs::remove(top / "20240101/2.jpg");
      fs::rename(top / "20240101/1.jpg", top / "20240101/one.jpg");
      fs::rename(top / "20240101/3.jpg", top / "20240101/three.jpg");
      sync_it(top / "20240101");
      s.cut();
      CHECK(s.names("20240101") == names{"one.jpg", "three.jpg"});
      s.check_whole();
    }
    DYNAMIC_SECTION("a picture that is here and was renamed, " << kind) {
      cut_store s{kind};
      const fs::path top = s.mount->mountpoint();
      fs::rename(top / "20240101/1.jpg", top / "20240101/one.jpg");
      sync_it(top / "20240101/one.jpg");
      s.cut();
      CHECK(s.names("20240101") == names{"0.jpg", "2.jpg", "3.jpg", "one.jpg"});
      s.check_whole();
    }
    DYNAMIC_SECTION("a picture that is missing and got a mode, " << kind) {
      cut_store s{kind};
      const fs::path top = s.mount->mountpoint();
      fs::permissions(top / "20240101/3.jpg", fs::perms::owner_read);
      sync_it(top / "20240101/3.jpg");
      s.cut();
      CHECK((fs::status(top / "20240101/3.jpg").permissions() & fs::perms::all) == fs::perms::owner_read);
      s.check_whole();
    }
  }
}

TEST_CASE("a rename that the power cuts off has happened or has not, and nothing shows twice", "[slow]") {
  for (const char* kind : {"ext4", "xfs"}) {
    for (const bool names_reach_the_disk : {false, true}) {
      INFO(kind << ", the disk " << (names_reach_the_disk ? "has" : "may have") << " the new name");
      cut_store s{kind};
      const fs::path top = s.mount->mountpoint();
      fs::rename(top / "20240101/1.jpg", top / "20240101/one.jpg");
      fs::rename(top / "20240102", top / "second");
      // By the disk's own journal, without the index.
      if (names_reach_the_disk) sync_it(s.on->root() / "archive/20240101");
      s.cut();
      const auto first = s.names("20240101"), all = s.names("");
      CHECK(
          (first == names{"0.jpg", "1.jpg", "2.jpg", "3.jpg"} || first == names{"0.jpg", "2.jpg", "3.jpg", "one.jpg"}));
      CHECK((all == names{"20240101", "20240102", "20240103"} || all == names{"20240101", "20240103", "second"}));
      if (names_reach_the_disk) CHECK(first.back() == "one.jpg");
      CHECK(files_in(top, "new") == 0);
      s.check_whole();
    }
  }
}

TEST_CASE("an archive whose power goes in its first moments begins anew", "[slow]") {
  const temp_dir dir{"cut"};
  write_old(dir / "source/1.jpg", noise(5'000));
  for (const char* kind : {"ext4", "xfs"}) {
    INFO(kind);
    const auto on = make_disk(kind);
    mount_options o;
    o.source = dir / "source", o.destination = on->root() / "archive", o.mountpoint = dir / "mountpoint";
    o.arguments = {"--min-free", "0"};
    mount_fixture mount{o};
    mount.expect_log("");
    mount.kill9();
    ::umount2(o.mountpoint.c_str(), MNT_DETACH);
    on->cut_power();
    fs::create_directory(o.destination.parent_path());
    mount.start();
    CHECK(wait_until([&] { return run_ferryfs({"status", mount.mountpoint()}).code == 0; }, 20s));
    CHECK(read_file(mount / "1.jpg") == noise(5'000));
  }
}
