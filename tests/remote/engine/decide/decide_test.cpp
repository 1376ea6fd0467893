// Skipping gaps and resolving conflicts, with the source, the disk and the fetches that belong to it.
#include "remote/engine/decide/skip.hpp"
#include "tests/remote/migration_fixture.hpp"

namespace ferryfs::test {
namespace {

using remote::keep;

// A gap, and a conflict: ours is longer.
struct decide_fixture : migration_fixture {
  decide_fixture() {
    source->put_file("d/gap.jpg", "gap");
    source->put_file("d/image.jpg", "theirs");
    put_here("d/image.jpg", "it is ours");
    scan();
    REQUIRE(of(state::conflict) == 1);
  }
  remote::resolve_result resolve(const std::string& path, keep what, const remote::open_files_query& open = {}) {
    return resolve_below(path, what, open);
  }
  std::string here(const std::string& path) const { return read_file(on_disk(path)); }
};

bool says(const remote::resolve_result& r, const std::string& text) {
  return r.files == 0 && r.not_done == 1 && r.reasons.size() == 1 && r.reasons[0].find(text) != std::string::npos;
}

TEST_CASE("gaps below a path are skipped, also whole directories of them, and fetched when they are asked for") {
  decide_fixture f;
  f.source->put_file("e/f/a.jpg", "1234");
  f.source->put_link("e/link", "f/a.jpg");
  f.scan();
  const auto done = remote::skip_below(f.m.index(), f.m.readers(), "e", {});
  CHECK(done.known);
  CHECK(done.files == 2);
  CHECK(done.unlisted_directories == 0);
  CHECK(f.of(state::skipped) == 2);
  CHECK(f.row("e/f").state == state::skipped);
  CHECK(f.row("d/gap.jpg").state == state::missing);
  f.scan();
  CHECK(f.row("e/f/a.jpg").state == state::skipped);
  CHECK(f.fetch_below("e").files == 1);
  CHECK(f.here("e/f/a.jpg") == "1234");
  CHECK(f.row("e/f/a.jpg").state == state::common);
  CHECK(f.row("e/link").state == state::missing);
  CHECK(f.row("e/f").state == state::common);
  CHECK_FALSE(remote::skip_below(f.m.index(), f.m.readers(), "nothing", {}).known);
}

TEST_CASE("a read of what was skipped still brings it, the background does not") {
  decide_fixture f;
  const entry gap = f.row("d/gap.jpg");
  remote::skip_below(f.m.index(), f.m.readers(), "d/gap.jpg", {});
  waiting background, reader;
  f.m.fetch().fetch(gap, "d/gap.jpg", remote::priority::background, background.done());
  CHECK(background.failed());
  CHECK(f.source->reads().empty());
  f.m.fetch().await_range(gap.ino, 0, 3, reader.callback());
  CHECK_FALSE(reader.failed());
  f.m.fetch().drain();
  CHECK(f.row("d/gap.jpg").state == state::common);
}

TEST_CASE("what is kept here stays over scans, until the source's becomes another") {
  decide_fixture f;
  CHECK(f.resolve("", keep::destination).files == 1);
  f.scan();
  CHECK(f.of(state::conflict) == 0);
  CHECK(f.row("d/image.jpg").state == state::added);
  CHECK(f.here("d/image.jpg") == "it is ours");
  CHECK(f.source->reads().empty());
  f.source->put_file("d/image.jpg", "theirs", long_ago + 60);
  f.scan();
  CHECK(f.row("d/image.jpg").state == state::conflict);
}

TEST_CASE("the source's picture takes the place of ours when it is whole") {
  decide_fixture f;
  f.source->hold_reads();
  auto decided = std::async(std::launch::async, [&] { return f.resolve("d/image.jpg", keep::source); });
  REQUIRE(wait_until([&] { return f.source->awaits("d/image.jpg"); }));
  f.source->answer_all("d/image.jpg", 2);
  CHECK(f.here("d/image.jpg") == "it is ours");
  f.source->finish("d/image.jpg");
  CHECK(decided.get().files == 1);
  CHECK(f.here("d/image.jpg") == "theirs");
  f.scan();
  CHECK(f.row("d/image.jpg").state == state::common);
  CHECK_FALSE(f.where.has_partials());
}

TEST_CASE("nobody can open ours for writing between the look at who does and the index") {
  decide_fixture f;
  remote::open_files_query open;
  bool looked = false;
  const auto could_open = [&] {
    auto& names = f.where.namespace_lock();
    const bool could = names.try_lock_shared();
    if (could) names.unlock_shared();
    return could;
  };
  open.is_written = [&](inode) {
    looked = true;
    CHECK_FALSE(std::async(std::launch::async, could_open).get());
    return false;
  };
  open.reopen = [&](inode ino) { CHECK(f.m.readers().borrow()->by_inode(ino)->state != state::conflict); };
  CHECK(f.resolve("d/image.jpg", keep::source, open).files == 1);
  CHECK(looked);
  CHECK(wait_until(could_open));  // the landing of the source's may be at it still
}

TEST_CASE("ours stays where the source's cannot be had") {
  decide_fixture f;
  SECTION("it can't be read") {
    f.source->fail("d/image.jpg", remote::cause::permission);
    CHECK(says(f.resolve("d/image.jpg", keep::source), "not fetched"));
  }
  SECTION("the source is down") {
    f.source->set_reachable(false);
    CHECK(says(f.resolve("d/image.jpg", keep::source), "not reachable"));
  }
  SECTION("ours is open for writing") {
    remote::open_files_query open;
    open.is_written = [&](inode ino) { return ino == f.row("d/image.jpg").ino; };
    CHECK(says(f.resolve("d/image.jpg", keep::source, open), "being written"));
  }
  SECTION("ours is another than the index knows") {
    f.put_here("d/image.jpg", "another by now");
    CHECK(says(f.resolve("d/image.jpg", keep::source), "changed since the last scan"));
    CHECK(f.here("d/image.jpg") == "another by now");
    return;
  }
  CHECK(f.row("d/image.jpg").state == state::conflict);
  CHECK(f.here("d/image.jpg") == "it is ours");
  CHECK(f.of(state::failed) == 0);
}

TEST_CASE("both are kept: the source's is fetched under a name of its own that nothing else has") {
  decide_fixture f;
  f.source->put_file("d/image.source.jpg", "third");
  f.scan();
  f.put_here("d/image.source-2.jpg", "fourth");  // the index does not know of it yet
  CHECK(f.resolve("", keep::both).files == 1);
  f.scan();
  CHECK(f.of(state::conflict) == 0);
  CHECK(f.row("d/image.jpg").state == state::added);
  CHECK(f.fetch_below("").failed == 0);
  CHECK(f.here("d/image.source-3.jpg") == "theirs");
  CHECK(f.here("d/image.jpg") == "it is ours");
  CHECK(f.here("d/image.source.jpg") == "third");
  CHECK(f.here("d/image.source-2.jpg") == "fourth");
  f.scan();
  CHECK(f.row("d/image.source-3.jpg").state == state::common);
}

TEST_CASE("a file here and a directory there: either stays, but neither takes the other's place") {
  decide_fixture f;
  f.source->put_file("album/a.jpg", "a");
  f.put_here("album", "a file");
  f.scan();
  CHECK(says(f.resolve("album", keep::source), "not a regular file on both sides"));
  SECTION("both") {
    CHECK(f.resolve("album", keep::both).rescan);
    f.scan();
    CHECK(f.row("album.source/a.jpg").state == state::missing);
    CHECK(f.fetch_below("album.source").files == 1);
    CHECK(f.here("album.source/a.jpg") == "a");
  }
  SECTION("ours") {
    CHECK(f.resolve("album", keep::destination).files == 1);
    f.scan();
    CHECK(f.row("album").state == state::added);
    CHECK_FALSE(f.at("album/a.jpg"));
  }
  CHECK(f.here("album") == "a file");
}

TEST_CASE("what is no conflict, or nothing at all, is said") {
  decide_fixture f;
  const auto gap = f.resolve("d/gap.jpg", keep::both);
  CHECK((gap.known && !gap.is_directory && gap.files + gap.not_done == 0));
  CHECK_FALSE(f.resolve("nothing", keep::both).known);
  CHECK(f.resolve("d", keep::destination).files == 1);
  const auto none = f.resolve("d", keep::destination);
  CHECK((none.known && none.is_directory && none.files == 0));
}

}  // namespace
}  // namespace ferryfs::test
