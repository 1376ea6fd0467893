// The commands for an archive that is mounted.
#include <algorithm>
#include <csignal>
#include <nlohmann/json.hpp>

#include "tests/mount/ferry.hpp"

using namespace ferryfs::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

nlohmann::json status_of(const fs::path& path) {
  return nlohmann::json::parse(run_ferryfs({"status", "--json", path}).out);
}

void make_pictures(const fs::path& from, int count) {
  for (int i = 0; i < count; ++i)
    write_old(from / ("202401" + std::to_string(10 + i % 10)) / (std::to_string(i) + ".jpg"),
              noise(50'000, static_cast<unsigned>(i)));
}

}  // namespace

TEST_CASE("replication fills the gaps behind the mount, and status waits for it") {
  const ferry f;
  make_pictures(f.from, 100);
  mount_fixture mount(f.options());
  const auto waited = run_ferryfs({"status", mount.mountpoint(), "--wait", "30"});
  CHECK(waited.code == 0);
  CHECK(waited.out.ends_with("complete\n"));
  CHECK(waited.out.find('\r') == std::string::npos);
  CHECK(difference(contents_below(f.from), contents_below(f.to)) == "");
  CHECK(status_of(mount.mountpoint())["common"]["files"] == 100);
  CHECK(attribute(mount / "20240110/0.jpg") == "local");
}

TEST_CASE("pause holds replication, resume lets it go on, limit sets its speed") {
  const ferry f;
  make_pictures(f.from, 200);
  mount_fixture mount(f.options({"--limit", "200K"}));
  REQUIRE(wait_until([&] { return !contents_below(f.to).empty(); }));
  CHECK(run_ferryfs({"ctl", mount.mountpoint(), "pause"}).code == 0);
  CHECK(status_of(mount.mountpoint())["transfer"]["paused"] == true);
  CHECK(run_ferryfs({"ctl", mount.mountpoint(), "limit", "0"}).code == 0);
  // Fetches in flight land; then nothing more comes, but for what somebody reads.
  CHECK(run_ferryfs({"status", mount.mountpoint(), "--wait", "3"}).code == 1);
  const auto here = contents_below(f.to).size();
  INFO(here << " names are here");
  CHECK(run_ferryfs({"status", mount.mountpoint(), "--wait", "1"}).code == 1);
  CHECK(contents_below(f.to).size() == here);
  CHECK(run_ferryfs({"ctl", mount.mountpoint(), "resume"}).code == 0);
  CHECK(run_ferryfs({"status", mount.mountpoint(), "--wait", "30"}, 40s).code == 0);
  CHECK(status_of(mount.mountpoint())["transfer"]["paused"] == false);
}

TEST_CASE("what is mounted paused stays so over reads, rescans, kills and mounts, until it is resumed") {
  const ferry f;
  make_pictures(f.from, 30);
  const auto only_one = [&](const mount_fixture& mount) {
    CHECK(status_of(mount.mountpoint())["transfer"]["paused"] == true);
    CHECK(run_ferryfs({"ctl", mount.mountpoint(), "rescan"}).code == 0);
    CHECK(run_ferryfs({"status", mount.mountpoint(), "--wait", "1"}).code == 1);
    CHECK(status_of(mount.mountpoint())["transfer"]["paused"] == true);
    CHECK(status_of(mount.mountpoint())["common"]["files"] == 1);
  };
  {
    mount_fixture mount(f.options({"--paused"}));
    CHECK(read_file(mount / "20240110/0.jpg") == noise(50'000, 0));
    CHECK(wait_until([&] { return attribute(mount / "20240110/0.jpg") == "local"; }));
    only_one(mount);
  }
  CHECK_THAT(run_ferryfs({"status", f.to}).out, contains_text("paused"));
  mount_fixture mount(f.options());
  only_one(mount);
  mount.kill9();
  mount.start();
  only_one(mount);
  CHECK(run_ferryfs({"ctl", mount.mountpoint(), "resume"}).code == 0);
  CHECK(status_of(mount.mountpoint())["transfer"]["paused"] == false);
  mount.kill9();
  mount.start();
  CHECK(run_ferryfs({"status", mount.mountpoint(), "--wait", "30"}, 40s).code == 0);
}

TEST_CASE("a pause that an archive was given without a mount holds for mounts; sync fills the gaps all the same") {
  const ferry f;
  make_pictures(f.from, 30);
  const auto words = f.options();
  { const mount_fixture mount(f.options({"--paused"})); }
  CHECK(run_ferryfs({"ctl", f.to, "resume"}).code == 0);
  CHECK(status_of(f.to)["transfer"]["paused"] == false);
  CHECK(run_ferryfs({"ctl", f.to, "pause"}).code == 0);
  {
    const mount_fixture mount(words);
    CHECK(run_ferryfs({"status", mount.mountpoint(), "--wait", "1"}).code == 1);
    CHECK(status_of(mount.mountpoint())["common"]["files"] == 0);
  }
  std::vector<std::string> sync{"sync", words.source, words.destination};
  sync.insert(sync.end(), words.arguments.begin(), words.arguments.end());
  CHECK(run_ferryfs(sync).code == 0);
  CHECK(status_of(f.to)["transfer"]["paused"] == true);
}

TEST_CASE("a limit holds over mounts until another is set, by ctl or by a mount's own") {
  const ferry f;
  make_pictures(f.from, 100);
  const auto slow = [&](const mount_fixture& mount, std::uint64_t limit) {
    CHECK(status_of(mount.mountpoint())["transfer"]["limit"] == limit);
    CHECK(run_ferryfs({"status", mount.mountpoint(), "--wait", "1"}).code == 1);
    CHECK(status_of(mount.mountpoint())["common"]["files"] < 50);
  };
  {
    const mount_fixture mount(f.options({"--limit", "20K"}));
    slow(mount, 20 << 10);
  }
  {
    const mount_fixture mount(f.options());
    slow(mount, 20 << 10);
    CHECK(run_ferryfs({"ctl", mount.mountpoint(), "limit", "30K"}).code == 0);
  }
  CHECK(status_of(f.to)["transfer"]["limit"] == 30 << 10);
  CHECK(run_ferryfs({"ctl", f.to, "limit", "40K"}).code == 0);
  {
    const mount_fixture mount(f.options());
    slow(mount, 40 << 10);
  }
  const mount_fixture mount(f.options({"--limit", "0"}));
  CHECK(status_of(mount.mountpoint())["transfer"]["limit"] == 0);
  CHECK(run_ferryfs({"status", mount.mountpoint(), "--wait", "30"}, 40s).code == 0);
}

TEST_CASE("limit holds back the background, but no reader") {
  const ferry f;
  make_pictures(f.from, 200);
  write_old(f.from / "20230101/large.jpg", noise(3'000'000));
  mount_fixture mount(f.options({"--limit", "1000K"}));
  std::string got;
  CHECK(time_of([&] { got = read_file(mount / "20230101/large.jpg"); }) < 1500ms);
  CHECK((got == noise(3'000'000)));
  CHECK(run_ferryfs({"status", mount.mountpoint(), "--wait", "1"}).code == 1);
  CHECK(contents_below(f.to).size() < 120);
}

TEST_CASE("rescan shows what has come to the source, and what has left it") {
  const ferry f;
  make_pictures(f.from, 20);
  mount_fixture mount(f.options(still));
  mount.expect_log(still_says);
  CHECK(out_of({"ls", mount / "20240110"}) == "0.jpg\n10.jpg\n");
  write_old(f.from / "20240110/new.jpg", noise(70));
  write_old(f.from / "20240120/first.jpg", noise(80));
  fs::remove(f.from / "20240110/10.jpg");
  CHECK(run_ferryfs({"ctl", mount.mountpoint(), "rescan"}).code == 0);
  CHECK(wait_until([&] { return out_of({"ls", mount / "20240110"}) == "0.jpg\nnew.jpg\n"; }, 3s));
  CHECK(read_file(mount / "20240120/first.jpg") == noise(80));
  CHECK(read_file(mount / "20240110/new.jpg") == noise(70));
}

TEST_CASE("rescan changed shows what has come to the source; other words after rescan are refused") {
  const ferry f;
  make_pictures(f.from, 20);
  mount_fixture mount(f.options(still));
  mount.expect_log(still_says);
  REQUIRE(run_ferryfs({"scan", mount.mountpoint()}).code == 0);
  const auto nothing = run_ferryfs({"ctl", mount.mountpoint(), "rescan", "changed"});
  CHECK(nothing.code == 0);
  CHECK_THAT(nothing.out, contains_text("scanned "));
  write_old(f.from / "20240110/new.jpg", noise(70));
  CHECK(run_ferryfs({"ctl", mount.mountpoint(), "rescan", "changed"}).code == 0);
  CHECK(wait_until([&] { return fs::exists(mount / "20240110/new.jpg"); }, 3s));
  const auto wrong = run_ferryfs({"ctl", mount.mountpoint(), "rescan", "20M"});
  CHECK(wrong.code == 2);
  CHECK_THAT(wrong.err, contains_text("changed"));
}

TEST_CASE("fetch makes a file or a whole directory local, and names what is not there") {
  const ferry f;
  make_pictures(f.from, 100);
  mount_fixture mount(f.options(still));
  mount.expect_log(still_says);
  REQUIRE(run_ferryfs({"scan", mount.mountpoint()}).code == 0);
  CHECK(run_ferryfs({"fetch", mount / "20240110/0.jpg"}).code == 0);
  CHECK(attribute(mount / "20240110/0.jpg") == "local");
  CHECK(attribute(mount / "20240110/10.jpg") == "remote");
  CHECK(run_ferryfs({"fetch", mount / "20240110", f.to / "20240111"}).code == 0);
  CHECK(contents_below(f.to).size() == 2 + 20);
  const auto absent = run_ferryfs({"fetch", mount / "20240110/nothing.jpg"});
  CHECK(absent.code == 1);
  CHECK_THAT(absent.err, contains_text("nothing.jpg"));
  CHECK(std::count(absent.err.begin(), absent.err.end(), '\n') == 1);
  CHECK(run_ferryfs({"fetch", mount.mountpoint()}).code == 0);
  CHECK(difference(contents_below(f.from), contents_below(f.to)) == "");
}

TEST_CASE("status --watch prints plain lines where the output is no terminal") {
  const ferry f;
  make_pictures(f.from, 10);
  mount_fixture mount(f.options(still));
  mount.expect_log(still_says);
  // Plain lines are few: the first is to find the scan ended.
  CHECK(run_ferryfs({"ctl", mount.mountpoint(), "rescan"}).code == 0);
  process watching({FERRYFS_BINARY, "status", mount.mountpoint(), "--watch"});
  CHECK(wait_until([&] { return watching.out().find("of 10 pictures") != std::string::npos; }));
  CHECK(watching.out().find('\r') == std::string::npos);
  CHECK(watching.out().find('\x1b') == std::string::npos);
  watching.signal(SIGINT);
  CHECK(watching.ended(2s));
  process json({FERRYFS_BINARY, "status", mount.mountpoint(), "--watch", "--json"});
  CHECK(wait_until([&] {
    const std::string text = json.out();
    return std::count(text.begin(), text.end(), '\n') >= 2;
  }));
  CHECK(nlohmann::json::accept(json.out().substr(0, json.out().find('\n'))));
  json.signal(SIGINT);
  CHECK(json.ended(2s));
}
