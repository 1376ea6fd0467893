#include "fs/text/size.hpp"

#include "tests/catch.hpp"

using ferryfs::fs::parse_size;

TEST_CASE("a size is a number and a unit, and nothing else") {
  CHECK(parse_size("500") == 500);
  CHECK(parse_size("20M") == 20 << 20);
  CHECK(parse_size("1.5k") == 1536);
  CHECK(parse_size("2GiB") == std::uint64_t{2} << 30);
  for (const char* text : {"", "M", "-1", "1X", "1 M", "1MM", "1e30", "nan"}) CHECK_FALSE(parse_size(text));
  CHECK_FALSE(parse_size(std::string_view("5\0M", 3)));
}
