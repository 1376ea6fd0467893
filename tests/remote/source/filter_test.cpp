#include "remote/source/filter.hpp"

#include <sys/stat.h>

#include "index/base/error.hpp"
#include "tests/catch.hpp"

namespace ferryfs::test {
namespace {

using remote::directory_entry;
using remote::filter;

directory_entry file(std::string name, std::uint64_t size = 100) {
  return {std::move(name), {S_IFREG | 0644, size, 1000}, ""};
}
directory_entry directory(std::string name) { return {std::move(name), {S_IFDIR | 0755, 4096, 1000}, ""}; }
directory_entry link(std::string name) { return {std::move(name), {S_IFLNK | 0777, 3, 1000}, "to"}; }

// Whether an archive filtered by one pattern leaves out `f`.
bool excludes(const std::string& pattern, const std::string& where, const directory_entry& f) {
  return filter({pattern}, "generic").excludes(where, f);
}

TEST_CASE("a pattern without a slash leaves a name out wherever it stands") {
  for (const auto* where : {"", "2013", "2013/07/15"}) {
    CHECK(excludes("*.tmp", where, file("a.tmp")));
    CHECK(excludes("*.tmp", where, file(".tmp")));
    CHECK(excludes("*.tmp", where, directory("a.tmp")));
    CHECK(excludes("*.tmp", where, link("a.tmp")));
    CHECK_FALSE(excludes("*.tmp", where, file("a.tmp.jpg")));
    CHECK(excludes("Thumbs.db", where, file("Thumbs.db")));
    CHECK_FALSE(excludes("Thumbs.db", where, file("thumbs.db")));
  }
}

TEST_CASE("a pattern with a slash at its end leaves out directories alone") {
  CHECK(excludes("cache/", "2013", directory("cache")));
  CHECK_FALSE(excludes("cache/", "2013", file("cache")));
  CHECK_FALSE(excludes("cache/", "2013", link("cache")));
}

TEST_CASE("a pattern with a slash at its front holds at the root") {
  CHECK(excludes("/cache", "", directory("cache")));
  CHECK_FALSE(excludes("/cache", "2013", directory("cache")));
  CHECK(excludes("/2013/*.tmp", "2013", file("a.tmp")));
  CHECK_FALSE(excludes("/2013/*.tmp", "old/2013", file("a.tmp")));
  CHECK(excludes("/2013/cache/", "2013", directory("cache")));
}

TEST_CASE("a pattern with a slash within holds at the end of any path") {
  CHECK(excludes("tmp/*.jpg", "tmp", file("a.jpg")));
  CHECK(excludes("tmp/*.jpg", "2013/07/tmp", file("a.jpg")));
  CHECK_FALSE(excludes("tmp/*.jpg", "2013/not-tmp", file("a.jpg")));
  CHECK_FALSE(excludes("tmp/*.jpg", "tmp/sub", file("a.jpg")));
}

TEST_CASE("a star stops at a slash, and brackets and question marks are one byte") {
  CHECK_FALSE(excludes("/2013/*/a.jpg", "2013/07/15", file("a.jpg")));
  CHECK(excludes("/2013/*/a.jpg", "2013/07", file("a.jpg")));
  CHECK(excludes("?.jpg", "", file("a.jpg")));
  CHECK_FALSE(excludes("?.jpg", "", file("ab.jpg")));
  CHECK(excludes("[0-9].jpg", "", file("5.jpg")));
  CHECK_FALSE(excludes("[0-9].jpg", "", file("x.jpg")));
  CHECK(excludes("\\*.jpg", "", file("*.jpg")));
  CHECK_FALSE(excludes("\\*.jpg", "", file("a.jpg")));
}

TEST_CASE("names that are no text are matched byte by byte") {
  CHECK(excludes("*.jpg", "", file("\xff\xfe.jpg")));
  CHECK(excludes("caf?.jpg", "", file("caf\xe9.jpg")));
}

TEST_CASE("any of several patterns leaves a name out") {
  const filter f{{"*.tmp", "cache/", "/lost+found"}, "generic"};
  CHECK(f.excludes("a", file("x.tmp")));
  CHECK(f.excludes("a", directory("cache")));
  CHECK(f.excludes("", directory("lost+found")));
  CHECK_FALSE(f.excludes("a", file("x.jpg")));
}

TEST_CASE("the name that the view keeps for itself is left out at the root, whatever the profile") {
  for (const auto* profile : {"generic", "webcampak"}) {
    const filter f{{}, profile};
    CHECK(f.excludes("", directory(".ferryfs")));
    CHECK(f.excludes("", file(".ferryfs")));
    CHECK_FALSE(f.excludes("2013", directory(".ferryfs")));
    CHECK_FALSE(f.excludes("", file(".ferryfs2")));
  }
}

TEST_CASE("webcampak's scratch and broken uploads are left out, and its pictures are not") {
  const filter f{{}, "webcampak"};
  CHECK(f.excludes("source1/tmp", directory("process-20130715")));
  CHECK(f.excludes("source1", file("20130715061000.jpg.tmp")));
  CHECK(f.excludes("source1/tmp", directory("1373868600.42")));
  CHECK(f.excludes("source1/pictures/20130715", file("20130715061000.jpg", 0)));
  CHECK(f.excludes("source1/pictures/20130715/raw", file("20130715061000.raw", 0)));

  CHECK_FALSE(f.excludes("source1/pictures", directory("20130715")));
  CHECK_FALSE(f.excludes("source1/pictures/20130715", file("20130715061000.jpg", 1)));
  CHECK_FALSE(f.excludes("source1", file("empty.txt", 0)));
  CHECK_FALSE(f.excludes("source1", file("process-notes.txt")));
  CHECK_FALSE(f.excludes("source1", directory("1373868600")));
  CHECK_FALSE(filter({}, "generic").excludes("", file("a.jpg", 0)));
}

TEST_CASE("an unknown profile and an empty pattern are wrong usage") {
  CHECK_THROWS_WITH(filter({}, "webcam"), contains_text("webcam") && contains_text("generic"));
  for (const auto* pattern : {"", "/"}) {
    try {
      filter({pattern}, "generic");
      FAIL("it was taken");
    } catch (const error& e) {
      CHECK(e.code() == exit_code::usage);
    }
  }
}

TEST_CASE("filters differ in their fingerprints when they differ in what they leave out") {
  const auto print = [](const std::vector<std::string>& p, const char* profile) {
    return filter(p, profile).fingerprint();
  };
  CHECK(print({"a", "b"}, "generic") == print({"a", "b"}, "generic"));
  CHECK(print({"a"}, "generic") != print({"b"}, "generic"));
  CHECK(print({"a"}, "generic") != print({"a"}, "webcampak"));
  CHECK(print({"a", "b"}, "generic") != print({"ab"}, "generic"));
  CHECK(print({}, "generic") != print({"a"}, "generic"));
}

}  // namespace
}  // namespace ferryfs::test
