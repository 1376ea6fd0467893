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

// What of `f` an archive filtered by one pattern leaves out.
bool leaves_out(const std::string& pattern, const std::string& where, const directory_entry& f) {
  return filter({pattern}, "generic").leaves_out(where, f);
}

TEST_CASE("a pattern without a slash leaves a name out wherever it stands") {
  for (const auto* where : {"", "2013", "2013/07/15"}) {
    CHECK(leaves_out("*.tmp", where, file("a.tmp")));
    CHECK(leaves_out("*.tmp", where, file(".tmp")));
    CHECK(leaves_out("*.tmp", where, directory("a.tmp")));
    CHECK(leaves_out("*.tmp", where, link("a.tmp")));
    CHECK_FALSE(leaves_out("*.tmp", where, file("a.tmp.jpg")));
    CHECK(leaves_out("Thumbs.db", where, file("Thumbs.db")));
    CHECK_FALSE(leaves_out("Thumbs.db", where, file("thumbs.db")));
  }
}

TEST_CASE("a pattern with a slash at its end leaves out directories alone") {
  CHECK(leaves_out("cache/", "2013", directory("cache")));
  CHECK_FALSE(leaves_out("cache/", "2013", file("cache")));
  CHECK_FALSE(leaves_out("cache/", "2013", link("cache")));
}

TEST_CASE("a pattern with a slash at its front holds at the root") {
  CHECK(leaves_out("/cache", "", directory("cache")));
  CHECK_FALSE(leaves_out("/cache", "2013", directory("cache")));
  CHECK(leaves_out("/2013/*.tmp", "2013", file("a.tmp")));
  CHECK_FALSE(leaves_out("/2013/*.tmp", "old/2013", file("a.tmp")));
  CHECK(leaves_out("/2013/cache/", "2013", directory("cache")));
}

TEST_CASE("a pattern with a slash within holds at the end of any path") {
  CHECK(leaves_out("tmp/*.jpg", "tmp", file("a.jpg")));
  CHECK(leaves_out("tmp/*.jpg", "2013/07/tmp", file("a.jpg")));
  CHECK_FALSE(leaves_out("tmp/*.jpg", "2013/not-tmp", file("a.jpg")));
  CHECK_FALSE(leaves_out("tmp/*.jpg", "tmp/sub", file("a.jpg")));
}

TEST_CASE("a star stops at a slash, and brackets and question marks are one byte") {
  CHECK_FALSE(leaves_out("/2013/*/a.jpg", "2013/07/15", file("a.jpg")));
  CHECK(leaves_out("/2013/*/a.jpg", "2013/07", file("a.jpg")));
  CHECK(leaves_out("?.jpg", "", file("a.jpg")));
  CHECK_FALSE(leaves_out("?.jpg", "", file("ab.jpg")));
  CHECK(leaves_out("[0-9].jpg", "", file("5.jpg")));
  CHECK_FALSE(leaves_out("[0-9].jpg", "", file("x.jpg")));
  CHECK(leaves_out("\\*.jpg", "", file("*.jpg")));
  CHECK_FALSE(leaves_out("\\*.jpg", "", file("a.jpg")));
}

TEST_CASE("names that are no text are matched byte by byte") {
  CHECK(leaves_out("*.jpg", "", file("\xff\xfe.jpg")));
  CHECK(leaves_out("caf?.jpg", "", file("caf\xe9.jpg")));
}

TEST_CASE("any of several patterns leaves a name out") {
  const filter f{{"*.tmp", "cache/", "/lost+found"}, "generic"};
  CHECK(f.leaves_out("a", file("x.tmp")));
  CHECK(f.leaves_out("a", directory("cache")));
  CHECK(f.leaves_out("", directory("lost+found")));
  CHECK_FALSE(f.leaves_out("a", file("x.jpg")));
}

TEST_CASE("the name that the view keeps for itself is left out at the root, whatever the profile") {
  for (const auto* profile : {"generic", "webcampak"}) {
    const filter f{{}, profile};
    CHECK(f.leaves_out("", directory(".ferryfs")));
    CHECK(f.leaves_out("", file(".ferryfs")));
    CHECK_FALSE(f.leaves_out("2013", directory(".ferryfs")));
    CHECK_FALSE(f.leaves_out("", file(".ferryfs2")));
  }
}

TEST_CASE("webcampak's scratch and broken uploads are left out, and its pictures are not") {
  const filter f{{}, "webcampak"};
  CHECK(f.leaves_out("source1/tmp", directory("process-20130715")));
  CHECK(f.leaves_out("source1", file("20130715061000.jpg.tmp")));
  CHECK(f.leaves_out("source1/tmp", directory("1373868600.42")));
  CHECK(f.leaves_out("source1/pictures/20130715", file("20130715061000.jpg", 0)));
  CHECK(f.leaves_out("source1/pictures/20130715/raw", file("20130715061000.raw", 0)));

  CHECK_FALSE(f.leaves_out("source1/pictures", directory("20130715")));
  CHECK_FALSE(f.leaves_out("source1/pictures/20130715", file("20130715061000.jpg", 1)));
  CHECK_FALSE(f.leaves_out("source1", file("empty.txt", 0)));
  CHECK_FALSE(f.leaves_out("source1", file("process-notes.txt")));
  CHECK_FALSE(f.leaves_out("source1", directory("1373868600")));
  CHECK_FALSE(filter({}, "generic").leaves_out("", file("a.jpg", 0)));
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
