#include "index/base/time.hpp"

#include "index/model/entry.hpp"
#include "tests/catch.hpp"

namespace ferryfs::test {
namespace {

TEST_CASE("a time before 1970 lies in its own second") {
  CHECK(to_seconds(-1) == -1);
  CHECK(to_seconds(-1'000'000'000) == -1);
  CHECK(to_seconds(-1'000'000'001) == -2);
  CHECK(to_seconds(1'999'999'999) == 1);
  const timespec half = to_timespec(-500'000'000);
  CHECK(half.tv_sec == -1);
  CHECK(half.tv_nsec == 500'000'000);
  CHECK(to_ns(half) == -500'000'000);
}

TEST_CASE("times that 64 bits of nanoseconds do not hold become the nearest that they do") {
  constexpr std::int64_t year_1601 = -11'644'473'600, year_2446 = 15'032'390'400;
  for (const std::int64_t s : {INT64_MIN, year_1601, first_second - 1}) CHECK(to_seconds(to_ns(s, 7)) == first_second);
  for (const std::int64_t s : {INT64_MAX, year_2446, last_second + 1}) CHECK(to_seconds(to_ns(s, 7)) == last_second);
  for (const std::int64_t s : {first_second, std::int64_t{-1}, std::int64_t{0}, last_second})
    CHECK(to_seconds(to_ns(s)) == s);
}

TEST_CASE("what a file system keeps of a time is that, or its nearest") {
  constexpr time_range signed_32{INT32_MIN, INT32_MAX};
  CHECK(signed_32.ns(1LL << 40) == INT32_MAX * second_ns);
  CHECK(signed_32.ns(-(1LL << 40)) == INT32_MIN * second_ns);
  CHECK(signed_32.clamped(-1) == -1);
  CHECK(signed_32.clamped(1'500'000'001) == 1'500'000'001);
  CHECK(signed_32.clamped(INT64_MAX) == INT32_MAX * second_ns);
}

TEST_CASE("two sides of before 1970 are compared by the second that they lie in") {
  entry e;
  e.source = file_facts{S_IFREG | 0644, 1, -2 * second_ns},
  e.local = file_facts{S_IFREG | 0644, 1, -2 * second_ns + 500'000'000};
  e.fetched = true;
  CHECK(classify(e) == state::common);
  e.local->mtime = -second_ns + 500'000'000;
  CHECK(classify(e) == state::missing);
}

}  // namespace
}  // namespace ferryfs::test
