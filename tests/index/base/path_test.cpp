#include "index/base/path.hpp"

#include <filesystem>

#include "tests/catch.hpp"
#include "tests/doubles/files.hpp"
#include "tests/doubles/temp_dir.hpp"

namespace ferryfs::test {
namespace {

using namespace std::string_literals;

TEST_CASE("a name is any bytes but a slash and NUL, 255 of them at most") {
  for (const auto& name : {"a"s, "..."s, ".a"s, " "s, "\n"s, "-rf"s, "\\"s, "*"s, "\xff\xfe"s, std::string(255, 'x')})
    CHECK(valid_name(name));
  for (const auto& name : {""s, "."s, ".."s, "/"s, "a/b"s, "/a"s, "a/"s, "a\0b"s, "\0"s, std::string(256, 'x')})
    CHECK_FALSE(valid_name(name));
}

TEST_CASE("a path is its directory and its name with a slash between, and the root has no name") {
  CHECK(join("", "a") == "a");
  CHECK(join("a", "b") == "a/b");
  CHECK(join("a/b", "\xff") == "a/b/\xff");
}

TEST_CASE("a message shows readable names as they are") {
  for (const auto& name : {"picture 1.jpg"s, "Gr\u00fc\u00dfe"s, "\u65e5\u672c"s, "\U0001F304"s, "\xed\x9f\xbf"s,
                           "\xee\x80\x80"s, "\xf4\x8f\xbf\xbf"s, "\xe0\xa0\x80"s, "\xf0\x90\x80\x80"s, "\xc2\xa0"s})
    CHECK(printable(name) == name);
}

TEST_CASE("a message stays on its line and steers no terminal, whatever bytes a name has") {
  CHECK(printable("a\nb\rc\td") == "a\\x0ab\\x0dc\\x09d");
  CHECK(printable("\x1b[2J\x7f") == "\\x1b[2J\\x7f");
  CHECK(printable("a\0b"s) == "a\\x00b");
  CHECK(printable("\xc2\x9b"
                  "2J") == "\\xc2\\x9b2J");                         // CSI as one character of the C1 set
  CHECK(printable("a\u202egpj.exe") == "a\\xe2\\x80\\xaegpj.exe");  // what follows reads from right to left
}

TEST_CASE("a message shows bytes that are no UTF-8 by their number") {
  CHECK(printable("caf\xe9.jpg") == "caf\\xe9.jpg");
  CHECK(printable("\x80") == "\\x80");
  CHECK(printable("\xff\xfe") == "\\xff\\xfe");
  SECTION("sequences that end early") {
    CHECK(printable("\xe2\x82") == "\\xe2\\x82");
    CHECK(printable("\xf0\x9f\x8c") == "\\xf0\\x9f\\x8c");
    CHECK(printable("\xc3"
                    "a") == "\\xc3a");
    CHECK(printable("\xe2\x82\xc3\xa9") == "\\xe2\\x82\u00e9");
  }
  SECTION("overlong ones, which hide a slash or a NUL") {
    CHECK(printable("\xc0\xaf") == "\\xc0\\xaf");
    CHECK(printable("\xc1\xbf") == "\\xc1\\xbf");
    CHECK(printable("\xe0\x80\xaf") == "\\xe0\\x80\\xaf");
    CHECK(printable("\xf0\x80\x80\xaf") == "\\xf0\\x80\\x80\\xaf");
  }
  SECTION("surrogates, and what lies beyond Unicode") {
    CHECK(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");
    CHECK(printable("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");
    CHECK(printable("\xf5\x80\x80\x80") == "\\xf5\\x80\\x80\\x80");
  }
}

TEST_CASE("the real path of a directory leads through no link, no dots and has no slash at its end") {
  const temp_dir dir;
  std::filesystem::create_directories(dir / "archive/2013");
  std::filesystem::create_directory_symlink("archive", dir / "link");
  const std::string real = (dir / "archive").string();
  CHECK(real_path((dir / "archive").string()) == real);
  CHECK(real_path((dir / "archive").string() + "/") == real);
  CHECK(real_path((dir / "archive/./2013/..").string()) == real);
  CHECK(real_path((dir / "link").string()) == real);
  CHECK(real_path((dir / "link/2013").string()) == real + "/2013");
  CHECK(real_path((dir / "link").string() + "/not/yet//") == real + "/not/yet");
  CHECK(real_path("/") == "/");
}

TEST_CASE("a relative path is real from where the user stands") {
  const auto here = std::filesystem::canonical(std::filesystem::current_path()).string();
  CHECK(real_path(".") == here);
  CHECK(real_path("not-there") == join(here == "/" ? "" : here, "not-there"));
}

}  // namespace
}  // namespace ferryfs::test
