#include "index/model/day.hpp"

#include "tests/catch.hpp"

namespace ferryfs::test {
namespace {

constexpr std::int64_t mtime = 1'000'000'000;  // 2001-09-09
constexpr std::int32_t day_of_mtime = 20010909;

std::int32_t day(std::string_view path) { return day_of(path, mtime); }

TEST_CASE("a picture belongs to the day that its name begins with") {
  CHECK(day("20130715061000.jpg") == 20130715);
  CHECK(day("20130715") == 20130715);
  CHECK(day("source1/pictures/20130715061000.jpg") == 20130715);
}

TEST_CASE("a picture belongs to the day of its directory") {
  CHECK(day("20130715/webcam.jpg") == 20130715);
  CHECK(day("source1/20130715-noon/webcam.jpg") == 20130715);
  CHECK(day("2013/07/15/webcam.jpg") == 20130715);
  CHECK(day("north/2013/07/15/06/00.jpg") == 20130715);
  CHECK(day("2013/07/15") == 20130715);
}

TEST_CASE("the last day that a path names is the one") {
  CHECK(day("20130714/20130715000500.jpg") == 20130715);
  CHECK(day("2013/07/14/20130715000500.jpg") == 20130715);
  CHECK(day("20130714/2013/07/15/a.jpg") == 20130715);
}

TEST_CASE("a number that is no day does not hide the day of the directory") {
  CHECK(day("20130715/123456789.jpg") == 20130715);
  CHECK(day("20130715/20131301.jpg") == 20130715);
  CHECK(day("2013/07/15/99999999.jpg") == 20130715);
}

TEST_CASE("a date that no calendar has is no day") {
  CHECK(day("20130229.jpg") == day_of_mtime);
  CHECK(day("20120229.jpg") == 20120229);
  CHECK(day("20130431.jpg") == day_of_mtime);
  CHECK(day("20130001.jpg") == day_of_mtime);
  CHECK(day("20131301.jpg") == day_of_mtime);
  CHECK(day("20130700.jpg") == day_of_mtime);
  CHECK(day("2013/02/29/a.jpg") == day_of_mtime);
  CHECK(day("2013/13/01/a.jpg") == day_of_mtime);
  CHECK(day("19691231.jpg") == day_of_mtime);
  CHECK(day("22000101.jpg") == day_of_mtime);
  CHECK(day("00000000") == day_of_mtime);
}

TEST_CASE("a picture whose path names no day belongs to the day it was taken on, in UTC") {
  for (const auto* path : {"", "webcam.jpg", "2013071.jpg", "2013-07-15.jpg", "a20130715.jpg", "2013/07/a.jpg",
                           "2013/7/15/a.jpg", "13/07/15/a.jpg", "2013/07", "\xff\xff/\xff"})
    CHECK(day(path) == day_of_mtime);
  CHECK(day_of("a.jpg", 0) == 19700101);
  CHECK(day_of("a.jpg", 86399) == 19700101);
  CHECK(day_of("a.jpg", 86400) == 19700102);
  CHECK(day_of("a.jpg", 1'373'868'600) == 20130715);
}

TEST_CASE("a clock that means nothing puts a picture last in the queue") {
  CHECK(day_of("a.jpg", -1) == 19700101);
  CHECK(day_of("a.jpg", INT64_MIN) == 19700101);
  CHECK(day_of("a.jpg", INT64_MAX) == 19700101);
}

}  // namespace
}  // namespace ferryfs::test
