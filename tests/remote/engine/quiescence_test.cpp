// When a file on the source counts as at rest, by clocks that a test sets.
#include "remote/engine/quiescence.hpp"

#include "tests/catch.hpp"

namespace ferryfs::test {
namespace {

using namespace std::chrono_literals;

struct at_noon {
  remote::quiescence rest{10s};
  std::chrono::system_clock::time_point wall{1'000'000'000s};
  remote::quiescence::clock::time_point now{5000s};
  at_noon() {
    rest.wall = [this] { return wall; };
    rest.monotonic = [this] { return now; };
  }
  std::int64_t ago(std::chrono::seconds s) const { return (wall.time_since_epoch() - s).count() / 1'000'000'000; }
};

TEST_CASE("an old file is at rest at the first look, a young one after two that are far enough apart") {
  at_noon t;
  CHECK(t.rest.is_quiescent(1, 100, t.ago(37h)));
  const auto young = t.ago(std::chrono::seconds{GENERATE(35 * 3600, 60, 0, -3600, -3'600'000)});
  CHECK_FALSE(t.rest.is_quiescent(2, 100, young));
  t.now += 9s;
  CHECK_FALSE(t.rest.is_quiescent(2, 100, young));
  t.now += 1s;
  CHECK(t.rest.is_quiescent(2, 100, young));
}

TEST_CASE("a file that is another at a look begins anew") {
  at_noon t;
  t.rest.is_quiescent(1, 100, t.ago(60s));
  t.now += 9s;
  CHECK_FALSE(t.rest.is_quiescent(1, 101, t.ago(60s)));
  t.now += 9s;
  CHECK_FALSE(t.rest.is_quiescent(1, 101, t.ago(59s)));
  t.now += 10s;
  CHECK(t.rest.is_quiescent(1, 101, t.ago(59s)));
}

TEST_CASE("a wall clock that jumps makes no file at rest that was not looked at twice") {
  at_noon t;
  const auto written = t.ago(0s);
  CHECK_FALSE(t.rest.is_quiescent(1, 100, written));
  t.wall += 12h;
  CHECK_FALSE(t.rest.is_quiescent(1, 100, written));
  t.wall -= 24h;
  CHECK_FALSE(t.rest.is_quiescent(1, 100, written));
}

}  // namespace
}  // namespace ferryfs::test
