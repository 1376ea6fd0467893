// scan --rebuild, and an index that was taken away: what was decided is decided in the next one.
#include <nlohmann/json.hpp>

#include "tests/mount/ferry.hpp"
#include "tests/scripts/refusal.hpp"

using namespace ferryfs::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

// Mounted for the decisions, which are in the archive's file when it is unmounted.
struct decided {
  temp_dir dir{"rebuild"};
  fs::path from = dir / "source", to = dir / "destination", mountpoint = dir / "mountpoint";
  std::optional<mount_fixture> mount;

  decided() {
    for (const char* day : {"20240101", "20240102"})
      for (int i = 0; i < 6; ++i)
        write_old(from / day / (std::to_string(i) + ".jpg"), noise(5'000 + static_cast<unsigned>(i)));
    for (const char* name : {"0.jpg", "1.jpg"}) write_old(to / "20240102" / name, noise(4000, 2));
    mount_options o;
    o.source = from, o.destination = to, o.mountpoint = mountpoint;
    o.arguments = still;
    mount.emplace(o);
    mount->expect_log(still_says);
    CHECK(run_ferryfs({"ctl", mountpoint, "rescan"}).code == complete);
    for (const char* name : {"20240101/0.jpg", "20240101/1.jpg"}) read_file(mountpoint / name);
    fs::remove(mountpoint / "20240101/0.jpg");
    fs::remove(mountpoint / "20240101/2.jpg");
    fs::rename(mountpoint / "20240101/1.jpg", mountpoint / "20240101/one\n.jpg");
    fs::create_directory(mountpoint / "album");
    fs::rename(mountpoint / "20240101/3.jpg", mountpoint / "album/three.jpg");
    write_file(mountpoint / "album/upload.jpg", "mine");
    CHECK(run_ferryfs({"skip", mountpoint / "20240101/4.jpg"}).code == complete);
    CHECK(run_ferryfs({"resolve", mountpoint / "20240102/0.jpg", "--keep", "destination"}).code == complete);
    CHECK(run_ferryfs({"resolve", mountpoint / "20240102/1.jpg", "--keep", "both"}).code == complete);
    CHECK(run_ferryfs({"ctl", mountpoint, "rescan"}).code == complete);
  }
  nlohmann::json state() const {
    auto s = nlohmann::json::parse(run_ferryfs({"status", "--json", to}).out);
    s["source"].erase("last_scan"), s["source"].erase("reachable"), s.erase("transfer");
    return s;
  }
  std::string lists() const {
    std::string all;
    for (const char* set : {"common", "missing", "new", "conflict", "deleted", "skipped"})
      all += std::string(set) + ":\n" + run_ferryfs({"report", to, "--list", set}).out;
    return all;
  }
  void check_same(const nlohmann::json& before, const std::string& listed) const {
    CHECK(state() == before);
    CHECK(run_ferryfs({"report", to, "--new"}).code == complete);
    CHECK(lists() == listed);
    CHECK(run_ferryfs({"ctl", to, "resume"}).code == complete);
    CHECK(run_ferryfs({"sync", from, to}).code == complete);
    const auto checked = run({FERRYFS_SOURCE_DIR "/scripts/check-migration", from, to, "--allow-new", "--decisions",
                              to / ".ferryfs/decisions"},
                             20s);
    INFO(checked.out << checked.err);
    CHECK(checked.code == 0);
  }
};

}  // namespace

TEST_CASE("an index that is made anew knows all that was decided") {
  decided d;
  check_one_line(run_ferryfs({"scan", d.mountpoint, "--rebuild"}), usage, "unmount it");
  CHECK(d.mount->stop() == 0);
  CHECK(run_ferryfs({"scan", d.to}).code == incomplete);
  CHECK(run_ferryfs({"report", d.to, "--new"}).code == complete);
  const auto before = d.state();
  const auto listed = d.lists();
  CHECK(before["deleted"]["files"] == 3);  // with the source's copy of what was kept here
  CHECK(before["conflict"]["files"] == 0);
  SECTION("on request") {
    CHECK(run_ferryfs({"scan", d.to, "--rebuild"}).code == incomplete);
    CHECK(run_ferryfs({"ctl", d.to, "resume"}).code == complete);  // was kept
    CHECK(fs::exists(d.to / ".ferryfs/index.db.old"));
    CHECK(run_ferryfs({"scan", d.to, "--rebuild"}).code == incomplete);  // once more, from the same lines
  }
  SECTION("where somebody took the old one away") {
    for (const char* part : {"index.db", "index.db-wal", "index.db-shm"}) fs::remove(d.to / ".ferryfs" / part);
    CHECK(run_ferryfs({"mount", "--paused", d.from, d.to, d.mountpoint}).code == complete);
    CHECK(run_ferryfs({"ctl", d.mountpoint, "rescan"}).code == complete);
    CHECK(run({"umount", d.mountpoint}, 20s).code == 0);
  }
  d.check_same(before, listed);
}

TEST_CASE("until the source was listed once, a new index fetches nothing that may have been deleted") {
  decided d;
  CHECK(d.mount->stop() == 0);
  fs::remove(d.to / ".ferryfs/index.db");
  fs::create_directory(d.from / "20240103");
  write_old(d.from / "20240103/0.jpg", noise(6'000));
  d.mount.reset();
  mount_options o;
  o.source = d.from, o.destination = d.to, o.mountpoint = d.mountpoint;
  mount_fixture again{o};
  CHECK(wait_until([&] { return fs::exists(d.to / "20240103/0.jpg"); }, 20s));
  CHECK(run_ferryfs({"status", d.mountpoint, "--wait", "20"}).code == complete);
  CHECK_FALSE(fs::exists(d.to / "20240101/0.jpg"));
  CHECK_FALSE(fs::exists(d.to / "20240101/3.jpg"));
  CHECK(read_file(d.to / "album/three.jpg") == noise(5'003));
}

// As programs of earlier versions made them (tests/index/schema), with the settings of this archive.
TEST_CASE(
    "an index of an earlier version is brought up by the first command that writes to it, and tells its decisions") {
  for (const char* version :
       {"version-1", "version-2", "version-3", "version-4", "version-5", "version-6", "version-7"}) {
    INFO(version);
    const temp_dir dir{"older"};
    write_old(dir / "source/d/common.jpg", noise(10));
    CHECK(run_ferryfs({"sync", dir / "source", dir / "destination"}).code == complete);
    const auto made = run({"python3", "-c", R"(
import sqlite3, sys, os
new, fixture = sys.argv[1:]
with sqlite3.connect(new) as db:
    settings = db.execute("SELECT key, value FROM meta WHERE key = 'settings'").fetchall()
db.close()
for part in ('', '-wal', '-shm'):
    if os.path.exists(new + part): os.remove(new + part)
old = sqlite3.connect(new)
old.executescript(open(fixture).read())
old.executemany('INSERT INTO meta VALUES (?, ?)', settings)
old.commit()
assert len(settings) == 1)",
                           dir / "destination/.ferryfs/index.db",
                           std::string(FERRYFS_SOURCE_DIR "/tests/index/schema/") + version + ".sql"},
                          20s);
    INFO(made.err);
    REQUIRE(made.code == 0);
    check_one_line(run_ferryfs({"status", dir / "destination"}), local, "mount or scan the archive once");
    const auto scanned = run_ferryfs({"scan", dir / "destination"});
    INFO(scanned.err);
    CHECK(run_ferryfs({"status", dir / "destination"}).code != local);
    const auto decisions = read_file(dir / "destination/.ferryfs/decisions");
    CHECK_THAT(decisions, contains_text("\tdeleted\td/deleted.jpg\n"));
    CHECK_THAT(decisions, contains_text("\tskipped\td/skipped.jpg\n"));
  }
}
