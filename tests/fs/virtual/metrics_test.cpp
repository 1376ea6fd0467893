// The metrics that Prometheus reads, and the mounts that are found.
#include "fs/virtual/metrics.hpp"

#include <regex>
#include <set>
#include <sstream>

#include "fs/process/mounts.hpp"
#include "fs/report/picture_json.hpp"
#include "tests/catch.hpp"
#include "tests/index/index_fixture.hpp"

namespace ferryfs::test {
namespace {

TEST_CASE("metrics are what Prometheus takes, each with its help and type", "[metrics]") {
  index_fixture f;
  f.insert(root_inode, "1.jpg", file_side(10));
  auto status = fs::status_of(*f.readers.borrow());
  status["source"]["url"] = "sftp://old/\\xff \"quoted\"\n";
  status["source"]["last_scan"] = "2026-11-24T13:45:00Z";
  const std::string text = fs::metrics_text(status, 7, 1'000'000);
  INFO(text);
  // The text format's grammar, as far as it is used.
  const std::regex help{"# HELP ([a-z_]+) .+"}, type{"# TYPE ([a-z_]+) (gauge|counter)"},
      sample{R"re(([a-z_]+)(\{[a-z]+="([^"\\\n]|\\["\\n])*"\})? -?[0-9.]+)re"};
  std::set<std::string> helped, typed, series;
  std::string of;
  std::istringstream lines{text};
  std::smatch match;
  for (std::string line; std::getline(lines, line);) {
    INFO(line);
    if (std::regex_match(line, match, help)) {
      CHECK(helped.insert(of = match[1]).second);
    } else if (std::regex_match(line, match, type)) {
      CHECK(match[1] == of);
      CHECK(typed.insert(of).second);
      CHECK((match[2] == "counter") == of.ends_with("_total"));
    } else {
      REQUIRE(std::regex_match(line, match, sample));
      CHECK(match[1] == of);
      CHECK(typed.contains(of));
      CHECK(series.insert(line.substr(0, line.rfind(' '))).second);
    }
  }
  CHECK(text.ends_with('\n'));
  for (const char* line : {"ferryfs_pictures{set=\"missing\"} 1\n", "ferryfs_picture_bytes{set=\"source\"} 10\n",
                           "ferryfs_last_scan_timestamp_seconds 1795527900\n", "ferryfs_source_reachable 0\n",
                           "ferryfs_fetched_bytes_total 1000000\n",
                           "ferryfs_archive_info{source=\"sftp://old/\\\\xff \\\"quoted\\\"\\\\x0a\"} 1\n"})
    CHECK_THAT(text, contains_text(line));
}

TEST_CASE("the mounts of this machine are found in mountinfo", "[mounts]") {
  const std::string text =
      "22 1 8:1 / / rw - ext4 /dev/sda rw\n"
      "40 22 0:31 / /srv/b\\040c\\134 rw,nosuid shared:5 - fuse.ferryfs sftp://old rw\n"
      "41 22 0:32 / /srv/a rw - fuse.ferryfs sftp://old rw\n"
      "42 22 0:33 / /srv/s rw - fuse.sshfs fuse.ferryfs rw\n"
      "broken\n\n";
  CHECK(fs::mountpoints_in(text) == std::vector<std::string>{"/srv/a", "/srv/b c\\"});
  CHECK(fs::device_in(text, "/srv/b c\\") == "0:31");
  CHECK(fs::device_in(text, "/srv/s").empty());
  CHECK(fs::mountpoints_in("").empty());
}

TEST_CASE("a picture's path as JSON is exact, also where it is no UTF-8", "[picture_json]") {
  CHECK(fs::picture_json(7, "day/\"a\"\n\\<script>ü") == "{\"path\":\"day/\\\"a\\\"\\n\\\\<script>ü\",\"size\":7}");
  CHECK(fs::picture_json(7, "a\xff", "\"change\":\"came\",") ==
        "{\"change\":\"came\",\"path\":\"a\xEF\xBF\xBD\",\"size\":7,\"path_hex\":\"61ff\"}");
}

}  // namespace
}  // namespace ferryfs::test
