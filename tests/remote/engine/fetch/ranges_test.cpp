#include "remote/engine/fetch/ranges.hpp"

#include <algorithm>
#include <random>
#include <vector>

#include "tests/catch.hpp"

namespace ferryfs::test {
namespace {

using remote::ranges;

TEST_CASE("ranges that touch or overlap become one, in whatever order they come") {
  ranges r;
  r.add(10, 20);
  r.add(30, 40);
  CHECK_FALSE(r.covers(10, 40));
  r.add(20, 30);
  CHECK(r.covers(10, 40));
  CHECK_FALSE(r.covers(9, 40));
  CHECK_FALSE(r.covers(10, 41));
  r.add(0, 100);
  CHECK(r.covers(0, 100));
}

TEST_CASE("an empty range is always there, and adds nothing") {
  ranges r;
  CHECK(r.covers(5, 5));
  CHECK(r.covers(7, 5));
  r.add(5, 5);
  r.add(7, 5);
  CHECK_FALSE(r.covers(5, 6));
  CHECK_FALSE(r.first_gap(5, 5));
}

TEST_CASE("ranges reach to the end of the largest file") {
  constexpr std::uint64_t end = UINT64_MAX;
  ranges r;
  r.add(end - 10, end);
  CHECK(r.covers(end - 10, end));
  const auto gap = r.first_gap(0, end);
  REQUIRE(gap);
  CHECK(gap->from == 0);
  CHECK(gap->to == end - 10);
}

// The same set as one bit a byte.
class bitmap {
 public:
  void add(std::uint64_t from, std::uint64_t to) {
    for (; from < to; ++from) bits_[from] = true;
  }
  bool covers(std::uint64_t from, std::uint64_t to) const {
    for (; from < to; ++from)
      if (!bits_[from]) return false;
    return true;
  }
  std::optional<ranges::gap> first_gap(std::uint64_t from, std::uint64_t to) const {
    while (from < to && bits_[from]) ++from;
    if (from >= to) return std::nullopt;
    std::uint64_t end = from;
    while (end < to && !bits_[end]) ++end;
    return ranges::gap{from, end};
  }

 private:
  std::vector<bool> bits_ = std::vector<bool>(256);
};

TEST_CASE("ranges say what a bitmap of the same bytes says") {
  std::mt19937 random{2013};
  const auto below = [&](std::uint64_t n) { return std::uniform_int_distribution<std::uint64_t>{0, n - 1}(random); };
  std::size_t wrong = 0;
  for (int round = 0; round < 200; ++round) {
    ranges r;
    bitmap b;
    const std::uint64_t longest = 1 + below(60);
    for (int step = 0; step < 40; ++step) {
      const std::uint64_t from = below(256), to = std::min<std::uint64_t>(256, from + below(longest));
      r.add(from, to);
      b.add(from, to);
      for (int look = 0; look < 20; ++look) {
        const std::uint64_t a = below(257), z = below(257);
        const auto one = r.first_gap(a, z), other = b.first_gap(a, z);
        const bool same = one.has_value() == other.has_value() &&
                          (!one || (one->from == other->from && one->to == other->to)) &&
                          r.covers(a, z) == b.covers(a, z);
        if (!same) ++wrong;
      }
    }
  }
  CHECK(wrong == 0);
}

}  // namespace
}  // namespace ferryfs::test
