#include "index/model/decision_line.hpp"

#include "tests/catch.hpp"

using namespace ferryfs;

namespace {

index::decision_line parsed(const std::string& line) {
  REQUIRE(line.back() == '\n');
  const auto d = index::parse_decision(std::string_view(line).substr(0, line.size() - 1));
  REQUIRE(d);
  return *d;
}

}  // namespace

TEST_CASE("a decision is one line of text, whatever bytes its paths have, and is read back as it was") {
  const std::string hard = "d\\n/a\tb\nc\rd\\\xff.jpg";
  const std::string line = index::line_of("renamed", hard, "\\", 1'700'000'000);
  CHECK(line == "2023-11-14T22:13:20Z\trenamed\td\\\\n/a\\tb\\nc\\rd\\\\\xff.jpg\t\\\\\n");
  const auto d = parsed(line);
  CHECK(d.when == "2023-11-14T22:13:20Z");
  CHECK(d.verb == "renamed");
  CHECK(d.path == hard);
  CHECK(d.other == "\\");
  CHECK(parsed(index::line_of("deleted", "a", "", 0)).other.empty());
}

TEST_CASE("what is no decision is not taken for one") {
  for (const char* line : {"", "\t", "now\tdeleted", "now\tdeleted\t", "now\trenamed\ta\tb\tc", "now"}) {
    CAPTURE(line);
    CHECK_FALSE(index::parse_decision(line));
  }
}
