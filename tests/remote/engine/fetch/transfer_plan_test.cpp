// The ranges that are requested of a picture, their order, and its end.
#include "remote/engine/fetch/transfer_plan.hpp"

#include "tests/catch.hpp"

namespace ferryfs::test {
namespace {

using remote::transfer_plan;
using wish = remote::next_step;

// Takes the next step, as text: "FROM+LENGTH", with "!" where its last byte is beyond the end, or "-" or "later".
std::string step(transfer_plan& p, std::uint32_t at_most, std::uint64_t prefer = 0) {
  const auto s = p.next(at_most, prefer);
  if (s.what == remote::next_step::done) return "-";
  if (s.what == remote::next_step::throttled) return "later";
  p.request(s);
  return std::to_string(s.part.offset) + "+" + std::to_string(s.part.length) + (s.part.beyond ? "!" : "");
}

void arrive(transfer_plan& p, std::uint64_t offset, std::uint64_t length) {
  p.came(offset, length);
  p.wrote(offset, length);
}

TEST_CASE("a picture is requested from where its reader is, then from the front, and one byte beyond its end") {
  transfer_plan p{100};
  CHECK(step(p, 40, 50) == "50+40");
  CHECK(step(p, 40, 50) == "90+11!");
  CHECK(step(p, 40, 50) == "0+40");
  CHECK(step(p, 40, 50) == "40+10");
  CHECK(step(p, 40, 50) == "-");
}

TEST_CASE("the byte beyond the end is a request of its own where the last one is full") {
  transfer_plan p{80};
  CHECK(step(p, 40) == "0+40");
  CHECK(step(p, 40) == "40+40");
  CHECK(step(p, 40) == "80+1!");
  CHECK(step(p, 40) == "-");
}

TEST_CASE("a look at the next step requests nothing") {
  transfer_plan p{10};
  CHECK(p.next(4, 0).part.offset == 0);
  CHECK(p.next(4, 0).part.offset == 0);
  CHECK(step(p, 4) == "0+4");
}

TEST_CASE("a picture of unknown size is read on as far again as bytes came, until the source says where it ends") {
  transfer_plan p{0};
  CHECK(p.known_end() == UINT64_MAX);
  CHECK(step(p, 40) == "0+40");
  CHECK(step(p, 40) == "later");
  arrive(p, 0, 40);
  CHECK(step(p, 40) == "40+40");
  CHECK(step(p, 40) == "later");
  arrive(p, 40, 20);
  p.end_at(60);
  CHECK(step(p, 40) == "-");
  CHECK(p.known_end() == 60);
  CHECK(p.is_whole());
}

TEST_CASE("another attempt requests what is not written again") {
  transfer_plan p{100};
  CHECK(step(p, 60) == "0+60");
  CHECK(step(p, 60) == "60+41!");
  arrive(p, 60, 40);
  p.start_again();
  CHECK(step(p, 60) == "0+60");
  CHECK(step(p, 60) == "100+1!");
}

TEST_CASE("the number of bytes that came is confirmed by a size that is told twice, and a size of 0 confirms nothing") {
  using lacks = transfer_plan::lacks;
  SECTION("as was known, with nothing behind them") {
    transfer_plan p{100};
    CHECK(p.still_lacks(100) == lacks::nothing);
    p.end_at(100);
    CHECK(p.still_lacks({}) == lacks::nothing);
  }
  SECTION("more than were known") {
    transfer_plan p{100};
    p.came(0, 101);
    CHECK(p.still_lacks(150) == lacks::nothing);  // it has grown
    CHECK(p.still_lacks(100) == lacks::end);
  }
  SECTION("fewer than were known") {
    transfer_plan p{100};
    p.end_at(50);
    CHECK(p.still_lacks(100) == lacks::size);
    CHECK(p.still_lacks(50) == lacks::nothing);
  }
  SECTION("none, of a size that is not known") {
    transfer_plan p{0};
    p.end_at(0);
    CHECK(p.still_lacks({}) == lacks::nothing);
  }
  SECTION("some, of a size that nobody tells") {
    transfer_plan p{0};
    p.end_at(50);
    CHECK(p.still_lacks(0) == lacks::size);
  }
}

}  // namespace
}  // namespace ferryfs::test
