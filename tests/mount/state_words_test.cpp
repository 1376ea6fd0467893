// The words of a standstill: "paused" is said only where somebody paused, and a wait ends with the reason.
#include <nlohmann/json.hpp>

#include "tests/mount/ferry.hpp"
#include "tests/scripts/refusal.hpp"

using namespace ferryfs::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

void make_pictures(const fs::path& from) {
  for (int i = 0; i < 30; ++i) write_old(from / "20240101" / (std::to_string(i) + ".jpg"), noise(5000, 1));
}

nlohmann::json status_of(const fs::path& at) { return nlohmann::json::parse(read_file(at / ".ferryfs/status.json")); }

void check_paused(const mount_fixture& mount, bool paused) {
  CHECK(status_of(mount.mountpoint())["transfer"]["paused"] == paused);
  CHECK((run_ferryfs({"status", mount.mountpoint()}).out.find("paused") != std::string::npos) == paused);
  CHECK((run_ferryfs({"status", mount.mountpoint(), mount.mountpoint()}).out.find("paused") != std::string::npos) ==
        paused);
  CHECK_THAT(read_file(mount / ".ferryfs/metrics"),
             contains_text(paused ? "\nferryfs_replication_paused 1\n" : "\nferryfs_replication_paused 0\n"));
}

// Without a time of its own.
void check_wait_ends(const mount_fixture& mount, const std::string& says) {
  check_one_line(run_ferryfs({"status", mount.mountpoint(), "--wait"}, 30s), incomplete, says);
}

}  // namespace

TEST_CASE("a pause is called one, and a wait does not outlast it") {
  const ferry f;
  make_pictures(f.from);
  const mount_fixture mount(f.options({"--paused"}));
  REQUIRE(run_ferryfs({"scan", mount.mountpoint()}).code == 0);
  check_paused(mount, true);
  check_wait_ends(mount, "replication is paused (ferryfs ctl PATH resume)");
}

TEST_CASE("a full disk is no pause, and a wait does not outlast it") {
  const ferry f;
  make_pictures(f.from);
  mount_fixture mount(f.options({"--min-free", "1000T"}));
  mount.expect_log(still_says);
  REQUIRE(wait_until([&] { return status_of(mount.mountpoint())["transfer"].contains("blocked"); }));
  check_paused(mount, false);
  check_wait_ends(mount, "--min-free");
}

TEST_CASE("a source that is away is no pause, and a wait does not outlast it") {
  ferry f;
  make_pictures(f.from);
  mount_fixture mount(f.options({"--limit", "1K"}));
  mount.expect_log("unreachable");
  REQUIRE(run_ferryfs({"scan", mount.mountpoint()}).code == 0);
  f.server.stop();
  REQUIRE(wait_until([&] { return status_of(mount.mountpoint())["source"]["reachable"] == false; }, 20s));
  check_paused(mount, false);
  CHECK_THAT(run_ferryfs({"status", mount.mountpoint()}).out, contains_text("waits for the source"));
  check_wait_ends(mount, "the source is unreachable");
}

TEST_CASE("a source that is not believed is no pause, and a wait does not outlast it") {
  const ferry f;
  make_pictures(f.from);
  auto o = f.options();
  o.source = f.from, o.arguments = {"--limit", "1K"};
  mount_fixture mount(o);
  for (const char* says : {"the source is empty", "scan"}) mount.expect_log(says);
  REQUIRE(run_ferryfs({"scan", mount.mountpoint()}).code == 0);
  fs::remove_all(f.from / "20240101");
  CHECK(run_ferryfs({"scan", mount.mountpoint()}).code == 1);
  REQUIRE_FALSE(status_of(mount.mountpoint())["suspicious"].is_null());
  check_paused(mount, false);
  check_wait_ends(mount, "ferryfs scan --believe");
}

TEST_CASE("a wait ends where only a person can go on, and at once without a mount") {
  const ferry f;
  make_pictures(f.from);
  write_old(f.to / "20240101/0.jpg", "ours");
  {
    const mount_fixture mount(f.options());
    check_wait_ends(mount, "1 in conflict (ferryfs resolve)");
    CHECK(status_of(mount.mountpoint())["common"]["files"] == 29);
  }
  process_result alone;
  CHECK(time_of([&] { alone = run_ferryfs({"status", f.to, "--wait"}); }) < 2s);
  check_one_line(alone, incomplete, "no ferryfs is running for it (ferryfs mount, or ferryfs sync); 1 in conflict");
  CHECK(alone.out == run_ferryfs({"status", f.to}).out);
}

TEST_CASE("verify --source with the source away says so once, and calls no picture wrong") {
  ferry f;
  make_pictures(f.from);
  const auto check = [](const process_result& r) {
    INFO(r.out << r.err);
    CHECK(r.code == source);
    CHECK_THAT(r.out, contains_text("30 pictures as they should be, "));
    CHECK_THAT(r.out, contains_text("; 30 not compared with the source: "));
    CHECK(r.out.find("not compared") == r.out.rfind("not compared"));
  };
  {
    mount_fixture mount(f.options());
    mount.expect_log("unreachable");
    REQUIRE(run_ferryfs({"status", mount.mountpoint(), "--wait", "30"}, 40s).code == 0);
    f.server.stop();
    check(run_ferryfs({"verify", mount.mountpoint(), "--source"}, 60s));
    CHECK(status_of(mount.mountpoint())["common"]["files"] == 30);
  }
  check(run_ferryfs({"verify", f.to, "--source"}, 60s));
}
