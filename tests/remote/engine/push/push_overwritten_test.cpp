// When a push replaces the source's copy, and when it never does.
#include <filesystem>
#include <vector>

#include "index/base/error.hpp"
#include "index/update/decision.hpp"
#include "index/update/local_change.hpp"
#include "remote/engine/verify/verifier.hpp"
#include "tests/remote/engine/push/push_fixture.hpp"

namespace ferryfs::test {
namespace {

namespace fs = std::filesystem;

}  // namespace

TEST_CASE("push: what was overwritten here replaces the source's copy only when asked to", "[push]") {
  fake_fixture f;
  f.source->put_file("a.jpg", "theirs");
  f.put("a.jpg", "mine here");
  f.scan();
  REQUIRE(f.state_of("a.jpg") == "conflict");
  SECTION("not by itself") {
    CHECK(f.push().files == 0);
    CHECK(f.source->content("a.jpg") == "theirs");
  }
  SECTION("as it is known") {
    CHECK(f.push("", true).files == 1);
    CHECK(f.source->content("a.jpg") == "mine here");
    CHECK(f.source->names() == std::vector<std::string>{"a.jpg"});
    CHECK(f.state_of("a.jpg") == "common");
  }
  SECTION("not where it has changed since") {
    f.source->put_file("a.jpg", "changed again", long_ago + 5);
    CHECK(f.push("", true).refused == 1);
    CHECK(f.source->content("a.jpg") == "changed again");
  }
  SECTION("not where it changes while the new one is sent") {
    f.source->before(".a.jpg.mine.ferryfs-part", [&] { f.source->put_file("a.jpg", "THEIRS", long_ago + 5); });
    CHECK(f.push("", true).refused == 1);
    CHECK(f.source->content("a.jpg") == "THEIRS");
    CHECK(f.source->names() == std::vector<std::string>{"a.jpg"});
  }
  SECTION("not where the server can't do it in one step") {
    f.source->set_can_replace(false);
    CHECK_THROWS_AS(f.push("", true), error);
    CHECK(f.source->content("a.jpg") == "theirs");
  }
}

TEST_CASE("push: bytes that are known to be wrong never replace the source's good ones", "[push]") {
  fake_fixture f;
  f.source->put_file("a.jpg", "theirs"), f.source->put_file("b.jpg", "b");
  f.put("a.jpg", "theirs"), f.put("b.jpg", "b, made better");
  f.scan();
  const auto verify = [&] {
    remote::verify_progress progress;
    return remote::verify_below({f.where, *f.source, f.engine->index(), f.engine->readers(), f.engine->suspicion()}, "",
                                remote::verify_how::here, [](const auto&) {}, progress, {});
  };
  const auto check_refused = [&](const std::string& name, const std::string& theirs) {
    const auto r = f.push(name, true);
    CHECK((r.files == 0 && r.refused == 1));
    CHECK_THAT(r.first_refusal, contains_text(name + ": its bytes here are not the ones"));
    CHECK(f.source->content(name) == theirs);
    CHECK(f.source->names() == std::vector<std::string>{"a.jpg", "b.jpg"});
  };
  REQUIRE(verify().newly_digested == 2);
  SECTION("as a verify has found") {
    f.put("a.jpg", "tHeirs");
    REQUIRE(verify().wrong == 1);
    REQUIRE(f.state_of("a.jpg") == "conflict");
    check_refused("a.jpg", "theirs");
  }
  SECTION("as the push itself finds") {
    f.put("b.jpg", "b, made BETTER");
    check_refused("b.jpg", "b");
  }
  SECTION("as a verify finds while they are sent") {
    f.edit("b.jpg", [](entry& e) { e.sha256.clear(); });
    f.source->before(".b.jpg.mine.ferryfs-part", [&] { f.edit("b.jpg", [](entry& e) { e.reason = reason::spoilt; }); });
    check_refused("b.jpg", "b");
  }
}

TEST_CASE("push: a new picture under the name of one that was given up here replaces that only when asked to",
          "[push]") {
  fake_fixture f;
  f.source->put_file("a.jpg", "theirs");
  f.put("a.jpg", "mine here");
  f.scan();
  const auto job = [&](auto&& make) { f.engine->index().run(make); };
  const inode ino = f.row("a.jpg").ino;
  job([&](index::transaction& t) { index::apply_keep_destination(t, ino); });
  REQUIRE(f.state_of("a.jpg") == "new");
  CHECK(f.push().refused == 1);
  CHECK(f.source->content("a.jpg") == "theirs");
  f.source->put_file("a.jpg", "theirs, changed", long_ago + 5);
  CHECK(f.push("", true).refused == 1);
  CHECK(f.source->content("a.jpg") == "theirs, changed");
  f.source->put_file("a.jpg", "theirs");
  CHECK(f.push("", true).files == 1);
  CHECK(f.source->content("a.jpg") == "mine here");
  for (int i = 0; i < 2; ++i) {
    CHECK(f.state_of("a.jpg") == "common");
    CHECK(f.engine->readers().borrow()->totals().of(state::deleted).files == 0);
    CHECK(f.push("", true).files == 0);
    f.scan();
  }
}

TEST_CASE("push: an edit that was saved by a rename is a conflict, which replaces the source's only when asked to",
          "[push]") {
  fake_fixture f;
  f.source->put_file("a.jpg", "theirs");
  f.put(".a.tmp", "mine here");
  f.scan();
  fs::rename(f.dir / ".a.tmp", f.dir / "a.jpg");
  f.engine->index().run([](index::transaction& t) {
    index::apply_rename(t, t.child(root_inode, ".a.tmp")->ino, root_inode, "a.jpg", 1);
  });
  REQUIRE(f.state_of("a.jpg") == "conflict");
  CHECK(f.push().files == 0);
  CHECK(f.source->content("a.jpg") == "theirs");
  CHECK(f.push("", true).files == 1);
  CHECK(f.source->content("a.jpg") == "mine here");
  f.scan();
  CHECK(f.state_of("a.jpg") == "common");
}

}  // namespace ferryfs::test
