// What a push does where the source has the name already.
#include <filesystem>
#include <vector>

#include "index/update/local_change.hpp"
#include "tests/remote/engine/push/push_fixture.hpp"

namespace ferryfs::test {
namespace {

namespace fs = std::filesystem;

}  // namespace

TEST_CASE("push: a name that stands on the source is left as it is", "[push]") {
  fake_fixture f;
  f.put("a.jpg", "mine"), f.put("b.jpg", "b");
  f.scan();
  const auto check_refused = [&](const std::string& theirs) {
    const auto r = f.push();
    CHECK(r.files == 1);
    CHECK(r.refused == 1);
    CHECK_THAT(r.first_refusal, contains_text("a.jpg"));
    CHECK(f.source->content("a.jpg") == theirs);
    CHECK(f.source->names() == std::vector<std::string>{"a.jpg", "b.jpg"});
    CHECK(f.state_of("a.jpg") == "new");
  };
  SECTION("since the last scan") {
    f.source->put_file("a.jpg", "theirs");
    check_refused("theirs");
  }
  SECTION("of the same size") {
    f.source->put_file("a.jpg", "MINE");
    check_refused("MINE");
  }
  SECTION("since it was looked at") {
    f.source->before("a.jpg", [&] { f.source->put_file("a.jpg", "theirs"); });
    check_refused("theirs");
  }
}

TEST_CASE("push: what the source has already is not sent again", "[push]") {
  fake_fixture f;
  f.put("a.jpg", "same");
  f.scan();
  f.source->put_file("a.jpg", "same");
  const auto r = f.push();
  CHECK(r.already_there == 1);
  CHECK(r.files == 0);
  CHECK(f.sent_bytes == 0);
  CHECK(f.state_of("a.jpg") == "common");
}

TEST_CASE("push: nothing is put under a name that on the source is that of what was renamed here", "[push]") {
  fake_fixture f;
  f.source->put_file("old name/1.jpg", "1"), f.source->put_file("2.jpg", "2");
  f.put("old name/1.jpg", "1"), f.put("2.jpg", "2");
  f.scan();
  for (const auto& [from, to] : {std::pair{"old name", "new name"}, std::pair{"2.jpg", "3.jpg"}}) {
    fs::rename(f.dir / from, f.dir / to);
    f.engine->index().run(
        [&](index::transaction& t) { index::apply_rename(t, t.child(root_inode, from)->ino, root_inode, to, 1); });
  }
  f.put("old name/4.jpg", "4"), f.put("2.jpg", "2");
  f.scan();
  const auto r = f.push();
  CHECK((r.files == 0 && r.already_there == 0 && r.refused == 2));
  CHECK_THAT(r.first_refusal, contains_text("has another name here"));
  CHECK(f.source->names() == std::vector<std::string>{"2.jpg", "old name", "old name/1.jpg"});
  f.scan();
  CHECK(f.state_of("3.jpg") == "common");
  CHECK(f.state_of("new name/1.jpg") == "common");
}

TEST_CASE("push: what was put into a directory that was renamed here goes where the source has that", "[push]") {
  fake_fixture f;
  f.source->put_file("old name/1.jpg", "1");
  f.put("old name/2.jpg", "2");
  f.scan();
  fs::rename(f.dir / "old name", f.dir / "new name");
  f.engine->index().run([&](index::transaction& t) {
    index::apply_rename(t, t.child(root_inode, "old name")->ino, root_inode, "new name", 1);
  });
  CHECK(f.push().files == 1);
  CHECK(f.source->content("old name/2.jpg") == "2");
}

TEST_CASE("push: a name that somebody takes while a picture is sent is not replaced, whatever the server's rename does",
          "[push]") {
  fake_fixture f;
  f.put("a.jpg", "0123456789");
  f.scan();
  f.source->before(".a.jpg.mine.ferryfs-part", [&] { f.source->put_file("a.jpg", "THEIRS"); });
  const auto r = f.push();
  CHECK(r.files == 0);
  CHECK(r.refused == 1);
  CHECK(f.source->content("a.jpg") == "THEIRS");
  CHECK_FALSE(f.source->content(".a.jpg.mine.ferryfs-part"));
}

}  // namespace ferryfs::test
