// .ferryfs/ in the mount: lists, reports, metrics.
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/mount/ferry.hpp"

using namespace ferryfs::test;
namespace fs = std::filesystem;

namespace {

// "SIZE PATH" as find says it, sorted by path; names without backslash and newline.
std::string found(const fs::path& root) {
  return out_of(
      {"sh", "-c",
       "cd \"$1\" && find . -name .ferryfs -prune -o ! -type d -printf '%s %P\\n' | LC_ALL=C sort -t ' ' -k 2", "sh",
       root});
}

}  // namespace

TEST_CASE("the mount's lists are to the byte what find says of both sides") {
  const ferry f;
  for (int i = 0; i < 300; ++i) {
    const std::string name =
        "day" + std::to_string(i % 7) + "/" + std::to_string(i) + (i % 3 == 0 ? ".d/x.jpg" : ".jpg");
    write_old(f.from / name, noise(static_cast<std::size_t>(i), 5));
  }
  write_old(f.from / "\xff\"<script>'.jpg", "x");
  write_old(f.to / "mine/1.jpg", noise(50));
  mount_fixture mount(f.options(still));
  mount.expect_log(still_says);
  REQUIRE(run_ferryfs({"scan", mount.mountpoint()}).code == 0);
  CHECK(read_file(mount / ".ferryfs/lists/source.txt") == found(f.from));
  CHECK(read_file(mount / ".ferryfs/lists/missing.txt") == found(f.from));
  CHECK(read_file(mount / ".ferryfs/lists/new.txt") == found(f.to));
  CHECK(read_file(mount / ".ferryfs/lists/common.txt").empty());
  CHECK(run_ferryfs({"fetch", mount / "day3"}).code == 0);
  CHECK(read_file(mount / ".ferryfs/lists/destination.txt") == found(f.to));
  CHECK(run_ferryfs({"report", mount.mountpoint(), "--list", "destination"}).out == found(f.to));
  CHECK(run_ferryfs({"report", mount / "day3", "--list", "missing"}).out.empty());
  CHECK_FALSE(run_ferryfs({"report", mount / "day4", "--list", "missing"}).out.empty());
  CHECK(out_of({"ls", f.to / ".ferryfs/reports"}).find(".list") == std::string::npos);

  // One that is being read stays as it was at open.
  std::ifstream open{mount / ".ferryfs/lists/missing.txt"};
  std::string line;
  REQUIRE(std::getline(open, line));
  CHECK(run_ferryfs({"fetch", mount.mountpoint()}).code == 0);
  std::string rest{std::istreambuf_iterator<char>(open), {}};
  CHECK(std::count(rest.begin(), rest.end(), '\n') > 200);
  CHECK(read_file(mount / ".ferryfs/lists/missing.txt").empty());
}

TEST_CASE("the mount shows every report, and a link to the newest") {
  const ferry f;
  write_old(f.from / "day/1.jpg", noise(1000));
  mount_fixture mount(f.options(still));
  mount.expect_log(still_says);
  // The first scan leaves one.
  REQUIRE(wait_until([&] { return fs::exists(mount / ".ferryfs/reports/latest.json"); }));
  const auto first = nlohmann::json::parse(read_file(mount / ".ferryfs/reports/latest.json"));
  CHECK(first["job"]["name"] == "scan");
  CHECK(first["destination"]["missing"]["count"]["jpg"] == 1);
  const auto made = run_ferryfs({"report", mount.mountpoint(), "--new", "--format", "json"});
  INFO(made.err);
  CHECK(made.code == 0);
  const auto second = nlohmann::json::parse(made.out);
  CHECK(second["report"] == 2);
  CHECK(second["source"]["url"] == f.server.url(f.from));
  CHECK(nlohmann::json::parse(read_file(mount / ".ferryfs/reports/latest.json")) == second);
  CHECK(names_in(mount / ".ferryfs/reports").size() == 5);
  const auto latest = fs::read_symlink(mount / ".ferryfs/reports/latest.json").string();
  CHECK(latest.ends_with("-2.json"));
  const auto list = mount / ".ferryfs/reports" / (latest.substr(0, latest.size() - 5) + ".missing.gz");
  CHECK(out_of({"zcat", list}) == "1000 day/1.jpg\n");
  struct stat shown {};
  REQUIRE(::stat(list.c_str(), &shown) == 0);
  CHECK(shown.st_size == static_cast<off_t>(read_file(list).size()));
  CHECK((shown.st_mode & 07777) == 0444);
  CHECK_FALSE(fs::exists(mount / ".ferryfs/reports/../../etc"));
  CHECK_FALSE(fs::exists(mount / ".ferryfs/reports/20260101T000000Z-9.json"));
  // Shown files can't be changed.
  CHECK_FALSE(std::ofstream{list}.is_open());
  CHECK(::unlink(list.c_str()) != 0);
}

TEST_CASE("a rescan that finds nothing new leaves no report, one that does leaves one") {
  const ferry f;
  write_old(f.from / "day/1.jpg", noise(1000));
  auto options = still;
  options.insert(options.end(), {"--rescan", "1"});
  mount_fixture mount(f.options(options));
  mount.expect_log(still_says);
  const auto reports = [&] { return names_in(mount / ".ferryfs/reports").size(); };
  REQUIRE(wait_until([&] { return reports() == 3; }));
  const auto scanned = [&] {
    return nlohmann::json::parse(read_file(mount / ".ferryfs/status.json"))["source"]["last_scan"];
  };
  const auto before = scanned();
  REQUIRE(wait_until([&] { return scanned() != before; }));
  CHECK(reports() == 3);
  write_old(f.from / "day/2.jpg", noise(1000));
  CHECK(wait_until([&] { return reports() == 5; }));
}

TEST_CASE("README and metrics say what there is") {
  const ferry f;
  write_old(f.from / "day/1.jpg", noise(1000));
  mount_fixture mount(f.options(still));
  mount.expect_log(still_says);
  REQUIRE(run_ferryfs({"scan", mount.mountpoint()}).code == 0);
  const std::string metrics = read_file(mount / ".ferryfs/metrics"), readme = read_file(mount / ".ferryfs/README");
  CHECK_THAT(metrics, contains_text("ferryfs_pictures{set=\"missing\"} 1\n"));
  CHECK_THAT(metrics, contains_text("ferryfs_source_reachable 1\n"));
  for (const auto& name : names_in(mount / ".ferryfs"))
    if (name != "README") CHECK_THAT(readme, contains_text(name));
  if (run({"sh", "-c", "command -v promtool"}).code == 0)
    CHECK(out_of({"sh", "-c", "promtool check metrics < \"$1\"", "sh", mount / ".ferryfs/metrics"}).empty());
}

TEST_CASE("status without a path finds the mounts of this machine, and gives a line each and a total") {
  const ferry f;
  write_old(f.from / "day/1.jpg", noise(1000));
  mount_fixture mount(f.options());
  auto other = f.options(still);
  other.destination = f.dir / "other";
  other.mountpoint = f.dir / "other mount";
  mount_fixture second(other);
  second.expect_log(still_says);
  REQUIRE(run_ferryfs({"status", mount.mountpoint(), "--wait", "30"}).code == 0);
  REQUIRE(run_ferryfs({"scan", second.mountpoint()}).code == 0);
  const auto all = run_ferryfs({"status", "--json"});
  CHECK(all.code == 1);
  const auto listed = nlohmann::json::parse(all.out);
  const auto complete = [&](const fs::path& where) {
    for (const auto& s : listed)
      if (s["path"] == where.string()) return s["complete"].get<bool>() ? "yes" : "no";
    return "not listed";
  };
  CHECK(complete(mount.mountpoint()) == std::string("yes"));
  CHECK(complete(second.mountpoint()) == std::string("no"));

  const auto both = run_ferryfs({"status", mount.mountpoint(), second.mountpoint()});
  CHECK(both.code == 1);
  CHECK(std::count(both.out.begin(), both.out.end(), '\n') == 3);
  CHECK_THAT(both.out, contains_text(second.mountpoint().string() + "\n2 archives:  50.0 %  1 of 2 pictures"));
  const auto twice = run_ferryfs({"status", mount.mountpoint(), mount.mountpoint()});
  CHECK(twice.code == 0);
  const auto absent = run_ferryfs({"status", mount.mountpoint(), "/nowhere"});
  CHECK(absent.code == 2);
  CHECK_THAT(absent.err, contains_text("/nowhere"));
  CHECK_THAT(absent.out, contains_text("100.0 %"));
}
