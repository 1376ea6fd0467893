// The rate of the last ten seconds.
#include "remote/engine/fetch/rate_meter.hpp"

#include "tests/catch.hpp"

namespace ferryfs::test {
namespace {

using namespace std::chrono_literals;

constexpr remote::rate_meter::clock::time_point start{1000s};

TEST_CASE("the rate is that of the seconds since the start, ten at most") {
  remote::rate_meter m{start};
  m.add(100, start);
  CHECK(m.read(start).rate == 100);
  CHECK(m.read(start + 3s).rate == 25);
  m.add(900, start + 9s);
  CHECK(m.read(start + 9s).rate == 100);
  CHECK(m.read(start + 10s).rate == 90);
}

TEST_CASE("the rate falls to nothing, and the sums stay") {
  remote::rate_meter m{start};
  m.add(100, start);
  m.add(50, start + 1s);
  const auto late = m.read(start + 60s);
  CHECK(late.rate == 0);
  CHECK(late.bytes == 150);
  CHECK(late.files == 2);
  m.add(70, start + 60s);
  CHECK(m.read(start + 60s).rate == 70);  // a new start
}

}  // namespace
}  // namespace ferryfs::test
