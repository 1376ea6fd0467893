// The way back, seen on the source and in the index: what a push sends, and what it never does.
#include <atomic>
#include <filesystem>
#include <vector>

#include "index/base/error.hpp"
#include "tests/remote/engine/push/push_fixture.hpp"

namespace ferryfs::test {
namespace {

namespace fs = std::filesystem;
using remote::push_result;

}  // namespace

TEST_CASE("push: what is new arrives whole, and the index says so", "[push]") {
  fake_fixture f;
  f.source->put_file("20130715/old.jpg", "old");
  f.put("20130715/a.jpg", "0123456789");
  f.put("new day/deep/b.jpg", "");
  f.put("c.jpg", "c");
  fs::permissions(f.dir / "20130715/a.jpg", fs::perms{0640});
  fs::permissions(f.dir / "new day", fs::perms{0750});
  fs::create_symlink("a.jpg", f.dir / "20130715/link");
  f.scan();
  auto r = f.push();
  CHECK(r.ended == push_result::end::done);
  CHECK(r.files == 4);
  CHECK(r.bytes == 11 + 5);  // a link's size is its target's
  CHECK(r.refused == 0);
  CHECK(f.source->names() == std::vector<std::string>{"20130715", "20130715/a.jpg", "20130715/link", "20130715/old.jpg",
                                                      "c.jpg", "new day", "new day/deep", "new day/deep/b.jpg"});
  CHECK(f.source->content("20130715/a.jpg") == "0123456789");
  CHECK(f.source->content("20130715/link") == "a.jpg");
  CHECK(f.source->content("20130715/old.jpg") == "old");
  CHECK(f.source->look("20130715/a.jpg") == remote::attributes{S_IFREG | 0640, 10, old_time});
  CHECK(f.source->look("new day").mode == (S_IFDIR | 0750));
  for (const auto* path : {"20130715/a.jpg", "20130715/link", "new day", "new day/deep/b.jpg", "c.jpg"})
    CHECK(f.state_of(path) == "common");
  CHECK(f.state_of("20130715/old.jpg") == "missing");

  r = f.push();
  CHECK(r.files + r.already_there + r.refused == 0);
}

TEST_CASE("push: only what lies below the path", "[push]") {
  fake_fixture f;
  f.put("a/1.jpg", "1"), f.put("b/2.jpg", "2"), f.put("b/3.jpg", "3");
  f.scan();
  CHECK(f.push("b/2.jpg").files == 1);
  CHECK(f.push("b").files == 1);
  CHECK_FALSE(f.source->content("a/1.jpg"));
  CHECK_THROWS_AS(f.push("c"), error);
}

TEST_CASE("push: a file that changes while it is sent is sent as it then is", "[push]") {
  fake_fixture f;
  f.put("a.jpg", "before");
  f.scan();
  f.source->before(".a.jpg.mine.ferryfs-part", [&] { write_file(f.dir / "a.jpg", "after that"); });
  CHECK(f.push().files == 1);
  CHECK(f.source->content("a.jpg") == "after that");
}

TEST_CASE("push: one that was deleted while it was sent does not get its name", "[push]") {
  fake_fixture f;
  f.put("a.jpg", "before");
  f.scan();
  f.source->before(".a.jpg.mine.ferryfs-part", [&] { fs::remove(f.dir / "a.jpg"); });
  CHECK(f.push().files == 0);
  CHECK(f.source->names().empty());
}

TEST_CASE("push: what is being written here is not sent", "[push]") {
  fake_fixture f;
  f.put("a.jpg", "half"), f.put("b.jpg", "b");
  f.scan();
  const inode a = f.row("a.jpg").ino;
  std::atomic<bool> written = true;
  const remote::open_files_query open{[&](inode ino) { return written && ino == a; }, [](inode) {},
                                      [] { return std::size_t{1}; }};
  const auto check_refused = [&] {
    const auto r = f.push("", false, open);
    CHECK((r.files == 1 && r.refused == 1));
    CHECK_THAT(r.first_refusal, contains_text("a.jpg: is being written here"));
    CHECK(f.source->names() == std::vector<std::string>{"b.jpg"});
  };
  SECTION("from the start") { check_refused(); }
  SECTION("since it was begun to be sent") {
    written = false;
    f.source->before(".a.jpg.mine.ferryfs-part", [&] { written = true; });
    check_refused();
  }
  written = false;
  CHECK(f.push("", false, open).files == 1);
  CHECK(f.source->content("a.jpg") == "half");
}

TEST_CASE("push: a pipe of this server is neither sent nor opened, and is no failure", "[push]") {
  fake_fixture f;
  f.put("a.jpg", "a");
  REQUIRE(::mkfifo((f.dir / "pipe").c_str(), 0600) == 0);
  f.scan();
  const auto r = f.push();
  CHECK(f.state_of("pipe") == "new");
  CHECK(r.ended == push_result::end::done);
  CHECK(r.files == 1);
  CHECK(r.refused == 0);
  CHECK(f.source->names() == std::vector<std::string>{"a.jpg"});
}

TEST_CASE("push: what is left out of the source is not sent there either", "[push]") {
  remote::settings s;
  s.exclude = {"*.tmp", "scratch/"};
  fake_fixture f{s};
  f.put("a.tmp", "a"), f.put("scratch/b.jpg", "b"), f.put(".c.jpg.mine.ferryfs-part", "c"), f.put("d.jpg", "d");
  f.scan();
  const auto r = f.push();
  CHECK(r.files == 1);
  CHECK(r.refused == 0);
  CHECK(f.source->names() == std::vector<std::string>{"d.jpg"});
}

TEST_CASE("push: to a server that tells no sizes", "[push]") {
  fake_fixture f;
  f.source->tell_sizes(GENERATE(fake_archive::sizes::unknown, fake_archive::sizes::zero));
  f.put("a.jpg", "0123456789");
  f.scan();
  CHECK(f.push().files == 1);
  CHECK(f.source->content("a.jpg") == "0123456789");
  CHECK(f.state_of("a.jpg") == "common");
  f.scan();
  CHECK(f.state_of("a.jpg") == "common");
}

}  // namespace ferryfs::test
