// Reasons against switching the old server off.
#include "fs/report/ready.hpp"

#include "tests/catch.hpp"

namespace ferryfs::test {
namespace {

// Everything is as it should be.
fs::readiness all_well() {
  fs::readiness r;
  r.now = 100'000;
  r.last_scan = r.now - 600;
  r.rescan = 300;
  r.totals.files[static_cast<std::size_t>(state::common)] = {50, 5000, 5000};
  return r;
}

void set(fs::readiness& r, state s, std::int64_t files) { r.totals.files[static_cast<std::size_t>(s)] = {files, 7, 0}; }

// There is one reason, and it says this.
void check_against(const fs::readiness& r, const std::string& says) {
  const auto v = fs::judge(r);
  INFO(fs::text_of(v));
  CHECK_FALSE(v.go());
  REQUIRE(v.reasons.size() == 1);
  CHECK_THAT(v.reasons[0], contains_text(says));
  CHECK(fs::text_of(v).starts_with("no-go\n"));
  CHECK(fs::json_of(v)["go"] == false);
}

}  // namespace

TEST_CASE("where nothing speaks against it, it is go") {
  const auto v = fs::judge(all_well());
  CHECK(v.reasons.empty());
  CHECK(v.go());
  CHECK(fs::text_of(v).starts_with("go"));
  CHECK(fs::json_of(v)["go"] == true);
}

TEST_CASE("what was skipped or deleted is said, and is no reason; what was lost is one") {
  auto r = all_well();
  set(r, state::skipped, 3), set(r, state::deleted, 1);
  const auto v = fs::judge(r);
  CHECK(v.go());
  REQUIRE(v.notes.size() == 2);
  CHECK_THAT(v.notes[0], contains_text("3 pictures (7 B) skipped"));
  CHECK_THAT(v.notes[1], contains_text("1 picture (7 B) deleted"));
  r.lost = 2;
  check_against(r, "2 pictures lost");
}

TEST_CASE("each thing that is not as it should be is a reason by itself") {
  auto r = all_well();
  SECTION("missing") { set(r, state::missing, 12), check_against(r, "12 pictures (7 B) missing"); }
  SECTION("failed") { set(r, state::failed, 1), check_against(r, "1 picture (7 B) failed"); }
  SECTION("conflict") { set(r, state::conflict, 2), check_against(r, "2 pictures (7 B) in conflict"); }
  SECTION("refused") { set(r, state::refused, 3), check_against(r, "3 symbolic links of the source refused"); }
  SECTION("a directory alone") {
    r.totals.directories[static_cast<std::size_t>(state::missing)] = {1, 0, 0};
    check_against(r, "1 directory missing");
  }
  SECTION("an upload here") { r.being_written = 1, check_against(r, "1 picture open for writing"); }
  SECTION("an old scan") { r.last_scan = r.now - 601, check_against(r, "run ferryfs scan"); }
  SECTION("no scan") { r.last_scan.reset(), check_against(r, "never scanned"); }
  SECTION("no rescans") { r.rescan = 0, r.last_scan = r.now - 601, check_against(r, "run ferryfs scan"); }
  SECTION("the source is down") { r.reachable = false, r.why = "no route", check_against(r, "no route"); }
  SECTION("what failed to be listed") { r.failed = {"d: permission denied"}, check_against(r, "d: permission denied"); }
  SECTION("what was never listed") { r.unlisted = 3, check_against(r, "3 directories"); }
  SECTION("what was not compared") { r.uncompared = 2, check_against(r, "2 pictures not compared"); }
}

TEST_CASE("an answer that is too long ends with how much more there is") {
  std::string lines;
  for (int i = 0; i < 1000; ++i) lines += "line " + std::to_string(i) + "\n";
  const auto cut = fs::within(lines, 500);
  CHECK(cut.size() <= 500);
  CHECK(cut.starts_with("line 0\n"));
  const auto kept = std::count(cut.begin(), cut.end(), '\n') - 1;
  CHECK(cut.ends_with("and " + std::to_string(1000 - kept) + " more\n"));
  CHECK(fs::within("short\n", 500) == "short\n");
  CHECK(fs::within(std::string(600, 'x') + "\n", 500) == "and 1 more\n");
}

}  // namespace ferryfs::test
