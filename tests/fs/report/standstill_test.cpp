// When a wait for an archive ends.
#include "fs/report/standstill.hpp"

#include "tests/catch.hpp"

namespace ferryfs::test {
namespace {

using nlohmann::ordered_json;

// Mounted, reachable, scanned, and five pictures to come.
ordered_json at_work() {
  return ordered_json::parse(
      R"({"source":{"url":"old:/a","reachable":true,"scanning":false,"last_scan":"2026-11-28T00:00:00Z"},
    "missing":{"files":5,"bytes":5},"failed":{"files":0,"bytes":0},"conflict":{"files":0,"bytes":0},
    "refused":{"files":0,"bytes":0},"unlisted":{"files":0,"bytes":0},"suspicious":null,"complete":false,
    "transfer":{"paused":false,"retries_soon":false,"active":[]}})");
}

std::string reasons(const ordered_json& status) {
  std::string text;
  for (const auto& r : fs::standstill_of(status).reasons) text += r + '\n';
  return text;
}

TEST_CASE("while something comes by itself, it is waited for", "[standstill]") {
  auto s = at_work();
  CHECK(reasons(s) == "");
  s["missing"]["files"] = 0, s["conflict"]["files"] = 1;
  CHECK(reasons(s) == "1 in conflict (ferryfs resolve)\n");
  s["source"]["scanning"] = true;
  CHECK(reasons(s) == "");
  s["source"]["scanning"] = false, s["failed"]["files"] = 1, s["transfer"]["retries_soon"] = true;
  CHECK(reasons(s) == "");
  s["transfer"]["retries_soon"] = false;
  CHECK(reasons(s) == "1 failed (ferryfs report --list failed)\n1 in conflict (ferryfs resolve)\n");
  s["transfer"]["active"].push_back({{"path", "a"}});
  CHECK(reasons(s) == "");
}

TEST_CASE("what a person or the source has to end is not waited for", "[standstill]") {
  auto s = at_work();
  SECTION("a pause") {
    s["transfer"]["paused"] = true;
    CHECK(reasons(s) == "replication is paused (ferryfs ctl PATH resume)\n");
    s["transfer"]["active"].push_back({{"path", "a"}});  // it lands
    CHECK(reasons(s) == "");
  }
  SECTION("a source that is not believed") {
    s["suspicious"] = "all is gone";
    CHECK(reasons(s) == "all is gone\n");
  }
  SECTION("a source that is away, but for a moment") {
    s["source"]["reachable"] = false, s["source"]["why"] = "old: connection refused";
    CHECK(reasons(s) == "the source is unreachable: old: connection refused\n");
    CHECK(fs::standstill_of(s).to_last > std::chrono::seconds(5));
  }
  SECTION("a disk without room") {
    s["transfer"]["blocked"] = "/to: no space";
    CHECK(reasons(s) == "/to: no space\n");
  }
  SECTION("directories that can't be listed, and refused names") {
    s["missing"]["files"] = 0, s["unlisted"]["files"] = 2, s["refused"]["files"] = 3;
    CHECK(reasons(s) == "3 refused (ferryfs report --list refused)\n2 not listed (ferryfs report --list unlisted)\n");
  }
}

TEST_CASE("of an archive that nobody works on, what is known is all that comes", "[standstill]") {
  auto s = at_work();
  s["source"]["reachable"] = nullptr, s["source"].erase("scanning");
  const auto end = fs::standstill_of(s);
  CHECK(end.to_last.count() == 0);
  CHECK(reasons(s) == "no ferryfs is running for it (ferryfs mount, or ferryfs sync)\n5 missing\n");
  s["in_use"] = {{"pid", 7}};
  CHECK(reasons(s) == "");
}

}  // namespace
}  // namespace ferryfs::test
