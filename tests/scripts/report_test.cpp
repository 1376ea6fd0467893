// report: lists, the history and what changed, of an archive that is not mounted.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/mount/ferry.hpp"
#include "tests/scripts/refusal.hpp"

using namespace ferryfs::test;
namespace fs = std::filesystem;

namespace {

std::string report(const fs::path& path, const std::vector<std::string>& more = {}) {
  std::vector<std::string> words{"report", path};
  words.insert(words.end(), more.begin(), more.end());
  const auto result = run_ferryfs(words);
  INFO(result.err);
  CHECK(result.code == 0);
  CHECK(result.err.empty());
  return result.out;
}

nlohmann::json report_json(const fs::path& path, std::vector<std::string> more = {}) {
  more.insert(more.end(), {"--format", "json"});
  return nlohmann::json::parse(report(path, more));
}

// Two pictures here, three on the source alone, one of which has the worst of names.
struct archive : ferry {
  archive() {
    write_old(from / "day/1.jpg", noise(100));
    write_old(from / "day/2.raw", noise(200));
    CHECK(run_ferryfs(sync_command(server, from, to)).code == complete);
    write_old(from / "day/3.jpg", noise(300));
    write_old(from / "day/a\n\\\"<script>\xff.jpg", noise(400));
    write_old(from / "night/4.jpg", noise(500));
    CHECK(run_ferryfs({"scan", to}).code == incomplete);
  }
};

}  // namespace

TEST_CASE("a list steers no terminal, and a program gets every byte") {
  const archive f;
  write_old(f.from / "day/\x1b[2J\t.jpg", noise(600));
  CHECK(run_ferryfs({"scan", f.to}).code == incomplete);
  CHECK_THAT(report(f.to, {"--list", "missing"}), contains_text("600 day/\x1b[2J\t.jpg\n"));
  for (const std::string format : {"text", "json"}) {
    const auto shown =
        out_of({"script", "-qec", FERRYFS_BINARY " report " + f.to.string() + " --list missing --format " + format,
                "/dev/null"});
    INFO(shown);
    CHECK_THAT(shown, contains_text(format == "text" ? "600 day/\\x1b[2J\\x09.jpg" : "\\u001b[2J"));
    CHECK(shown.find('\x1b') == std::string::npos);
    CHECK_THAT(shown, contains_text("night/4.jpg"));
  }
}

TEST_CASE("a sync and a scan leave reports, and report lists and shows them") {
  const archive f;
  const auto history = report(f.to);
  INFO(history);
  CHECK(std::count(history.begin(), history.end(), '\n') == 2);
  CHECK_THAT(history, contains_text("sync   complete     2 of 2 here, 0 missing"));
  CHECK_THAT(history, contains_text("scan   incomplete   2 of 5 here, 3 missing"));
  CHECK(report_json(f.to).size() == 2);
  const auto first = report_json(f.to, {"--id", "1"});
  CHECK(first["job"]["name"] == "sync");
  CHECK(first["moved"]["files"] == 2);
  CHECK(first["moved"]["bytes"] == 300);
  CHECK(first["source"]["url"] == f.server.url(f.from));
  CHECK_THAT(report(f.to, {"--id", "2"}), contains_text("missing"));
  check_one_line(run_ferryfs({"report", f.to, "--id", "9"}), usage, "no report 9");

  CHECK(report_json(f.to, {"--new"})["report"] == 3);
  CHECK(report_json(f.to).size() == 3);
}

TEST_CASE("report works without the source, and a damaged report hides no other") {
  archive f;
  f.server.stop();
  const auto made = report_json(f.to, {"--new"});
  CHECK(made["destination"]["missing"]["count"]["total"] == 3);
  const auto reports = f.to / ".ferryfs/reports";
  for (const auto& entry : fs::directory_iterator(reports))
    if (entry.path().filename().string().ends_with("-1.json")) write_file(entry.path(), "{\"report\": 1, \"job\"");
  const auto history = report(f.to);
  INFO(history);
  CHECK(std::count(history.begin(), history.end(), '\n') == 3);
  CHECK_THAT(history, contains_text("    1  damaged: "));
  CHECK_THAT(history, contains_text("scan   incomplete"));
  CHECK(report_json(f.to)[0].contains("damaged"));
  check_one_line(run_ferryfs({"report", f.to, "--id", "1"}), local, "damaged");
  check_one_line(run_ferryfs({"report", f.to, "--compare", "1", "2"}), local, "damaged");
  CHECK(report_json(f.to, {"--compare", "2", "3"})["filled"]["count"] == 0);
}

TEST_CASE("a set is listed as lines and as JSON, now and as it was") {
  const archive f;
  const std::string odd = "400 day/a\\n\\\\\"<script>\xff.jpg\n";
  CHECK(report(f.to, {"--list", "missing"}) == "300 day/3.jpg\n" + odd + "500 night/4.jpg\n");
  CHECK(report(f.to, {"--list", "common"}) == "100 day/1.jpg\n200 day/2.raw\n");
  CHECK(report(f.to, {"--list", "destination"}) == "100 day/1.jpg\n200 day/2.raw\n");
  CHECK(report(f.to, {"--list", "new"}).empty());
  CHECK(report(f.to / "night", {"--list", "missing"}) == "500 night/4.jpg\n");
  CHECK(report_json(f.to, {"--list", "new"}) == nlohmann::json::array());
  const auto listed = report_json(f.to, {"--list", "missing"});
  REQUIRE(listed.size() == 3);
  CHECK(listed[0] == nlohmann::json{{"path", "day/3.jpg"}, {"size", 300}});
  CHECK(listed[1]["path"] == "day/a\n\\\"<script>\xEF\xBF\xBD.jpg");
  CHECK(listed[1]["path_hex"] == "6461792f610a5c223c7363726970743eff2e6a7067");

  CHECK(run_ferryfs(sync_command(f.server, f.from, f.to)).code == complete);
  CHECK(report(f.to, {"--list", "missing"}).empty());
  CHECK(report(f.to, {"--list", "missing", "--id", "2"}) == "300 day/3.jpg\n" + odd + "500 night/4.jpg\n");
  CHECK(report(f.to / "night", {"--list", "missing", "--id", "2"}) == "500 night/4.jpg\n");
  CHECK(report(f.to, {"--list", "conflict", "--id", "2"}).empty());
  check_one_line(run_ferryfs({"report", f.to, "--list", "common", "--id", "2"}), usage, "only the lists");
  check_one_line(run_ferryfs({"report", f.to, "--list", "nonsense"}), usage, "--list");
}

TEST_CASE("report says what changed between two") {
  const archive f;
  write_old(f.from / "day/5.jpg", noise(600));
  fs::remove(f.from / "day/3.jpg");
  CHECK(run_ferryfs(sync_command(f.server, f.from, f.to, {"--exclude", "5.jpg"})).code == complete);
  const auto changed = report_json(f.to, {"--compare", "2", "3"});
  INFO(changed.dump(2));
  CHECK(changed["filled"] == nlohmann::json{{"count", 3}, {"size", 1200}});
  CHECK(changed["came"] == nlohmann::json{{"count", 0}, {"size", 0}});
  CHECK(changed["sets"]["common"]["to"]["count"] == 4);
  CHECK(changed["sets"]["lost"]["to"]["count"] == 1);
  CHECK(report_json(f.to, {"--since", "2"}) == changed);
  CHECK(report_json(f.to, {"--since", "2020-01-01"})["from"]["report"] == 1);
  CHECK(report_json(f.to, {"--since", "monday"})["from"]["report"] == 1);
  CHECK_THAT(report(f.to, {"--compare", "2", "3"}), contains_text("filled                 3"));
  CHECK(report(f.to, {"--compare", "1", "2", "--list", "missing"}) ==
        "+ 300 day/3.jpg\n+ 400 day/a\\n\\\\\"<script>\xff.jpg\n+ 500 night/4.jpg\n");
  check_one_line(run_ferryfs({"report", f.to, "--since", "someday"}), usage, "--since someday");
  check_one_line(run_ferryfs({"report", f.to, "--compare", "1"}), usage, "--compare");
  check_one_line(run_ferryfs({"report", f.to, "--new", "--id", "1"}), usage, "--");
}

TEST_CASE("the history is bounded by --keep-reports, also for later reports") {
  const ferry f;
  write_old(f.from / "1.jpg", noise(100));
  for (int i = 0; i < 4; ++i)
    CHECK(run_ferryfs(sync_command(f.server, f.from, f.to, {"--keep-reports", "3"})).code == complete);
  report(f.to, {"--new"});
  const auto history = report_json(f.to);
  REQUIRE(history.size() == 3);
  CHECK(history[0]["report"] == 3);
  CHECK(history[2]["report"] == 5);
  check_one_line(run_ferryfs(sync_command(f.server, f.from, f.to, {"--keep-reports", "0"})), usage, "--keep-reports");
}

TEST_CASE("a list that nobody reads to its end is no error, one that can't be written is") {
  const archive f;
  const std::string ferryfs = FERRYFS_BINARY;
  CHECK(out_of({"bash", "-c", "set -o pipefail; \"$0\" report \"$1\" --list source | head -n 1", ferryfs, f.to}) ==
        "100 day/1.jpg\n");
  check_one_line(run({"sh", "-c", "\"$0\" report \"$1\" --list source > /dev/full", ferryfs, f.to}), local,
                 "standard output");
}
