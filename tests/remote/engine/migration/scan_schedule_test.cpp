// When both sides are scanned, and how: no thread, no clock.
#include "remote/engine/migration/scan_schedule.hpp"

#include "tests/catch.hpp"

namespace ferryfs::test {
namespace {

using namespace std::chrono_literals;
using remote::scan_schedule;
using pass = scan_schedule::pass;

const auto nobody = [](const remote::source_scan::result&) {};

TEST_CASE("the first scan and every twelfth are full ones, the others only where somebody asks") {
  scan_schedule s;
  for (int round = 0; round < 25; ++round) {
    const auto o = s.begin();
    CHECK(o.full == (round % 12 == 0));
    CHECK_FALSE(o.requested);
    s.end(o, true);
  }
  s.request(nobody, pass::changed, false);
  CHECK(s.is_due());
  s.request(nobody, pass::full, true);
  const auto o = s.begin();
  CHECK((o.full && o.requested && o.believe && o.callers.size() == 2));
  CHECK_FALSE(s.is_due());
  const auto next = s.begin();
  CHECK_FALSE((next.full || next.requested || next.believe || !next.callers.empty()));
}

TEST_CASE("without a period only a request makes a scan due, with one the source's return does as well") {
  scan_schedule s;
  s.set_source_back();
  CHECK_FALSE(s.is_due());
  CHECK_FALSE(s.end(s.begin(), true));
  SECTION("every five minutes") {
    s.set_period(300s);
    CHECK(s.end(s.begin(), true) == 300s);
  }
  SECTION("never by itself") {
    s.set_period(0s);
    CHECK_FALSE(s.end(s.begin(), true));
  }
  s.set_source_back();
  CHECK(s.is_due());
}

TEST_CASE("a repair is tried again, ever more seldom, until the destination was seen to its end") {
  scan_schedule s;
  s.set_period(3600s);
  s.request_repair();
  CHECK(s.is_due());
  for (const auto pause : {10s, 20s, 40s, 80s, 160s, 300s, 300s}) {
    const auto o = s.begin();
    CHECK((o.full && o.requested && o.repairs));
    CHECK(s.end(o, false) == pause);
    CHECK_FALSE(s.is_due());
  }
  CHECK(s.end(s.begin(), true) == 3600s);
  s.request_repair();
  CHECK(s.end(s.begin(), false) == 10s);
}

}  // namespace
}  // namespace ferryfs::test
