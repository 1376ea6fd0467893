#include "fs/virtual/control_line.hpp"

#include "tests/catch.hpp"

using namespace ferryfs::fs;

TEST_CASE("a command of the control file is a verb, how, and a path of any bytes") {
  const auto is = [](std::string_view text, const control_line& line) { return parse_control_line(text) == line; };
  CHECK(is("pause\n", {"pause"}));
  CHECK(is("limit 20M\n", {"limit", "", "20M"}));
  CHECK(is("rescan changed\n", {"rescan", "changed"}));
  CHECK(is("fetch 2013/a b.jpg\n", {"fetch", "", "2013/a b.jpg"}));
  CHECK(is("fetch a\n\n", {"fetch", "", "a\n"}));
  CHECK(is("fetch ", {"fetch"}));
  CHECK(is("resolve both a", {"resolve", "both", "a"}));
  CHECK(is("verify here ", {"verify", "here"}));
  CHECK(is("ready quick json", {"ready", "quick json"}));
  CHECK(is("push --overwritten ", {"push", "--overwritten"}));
}

TEST_CASE("a path that looks like an option of push is taken for none") {
  for (const std::string path : {"--overwritten 2013", "--overwritten", "--", "-- a", "--x", "a"})
    for (const std::string how : {"", "--overwritten"}) {
      const control_line line{"push", how, path};
      CHECK(parse_control_line(text_of(line)) == line);
    }
}

TEST_CASE("what is no command is not taken for one") {
  for (const char* text : {"", "\n", "pauses", "pause now", "rescan all", "resolve a", "verify a", "stop", "stop fetch",
                           "ready go", "Push a", " pause"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_control_line(text));
  }
}
