// Changes through the mount, and what later scans of the source make of them.
#include "index/update/local_change.hpp"

#include "index/update/decision.hpp"
#include "index/update/fetch_result.hpp"
#include "index/update/verify_result.hpp"
#include "tests/catch.hpp"
#include "tests/index/index_fixture.hpp"

namespace ferryfs::test {
namespace {

using index::side;
using strings = std::vector<std::string>;

// d/ with a missing picture, a common one and one that is new, and an empty directory e/ on both sides.
struct changed_here : index_fixture {
  inode d, e, gap, common, added;
  changed_here() {
    d = insert(root_inode, "d", directory_side(), directory_side());
    e = insert(root_inode, "e", directory_side(), directory_side());
    gap = insert(d, "gap.jpg", file_side(10));
    common = insert(d, "common.jpg", file_side(20), file_side(20));
    added = insert(d, "new.jpg", {}, file_side(30));
  }
  void remove(inode ino) {
    writer.run([&](index::transaction& t) { index::apply_removal(t, ino, now); });
  }
  void rename(inode ino, inode parent, const std::string& name) {
    writer.run([&](index::transaction& t) { index::apply_rename(t, ino, parent, name, now); });
  }
  inode create(inode parent, const std::string& name, std::uint64_t size = 5) {
    return writer.run([&](index::transaction& t) {
      return index::apply_creation(t, {parent, name, file_side(size), {}, {}, ""}, now);
    });
  }
  void list_again() {
    list_source({named("d", directory_side()), named("e", directory_side())});
    list(side::source, d, "d", {named("gap.jpg", file_side(10)), named("common.jpg", file_side(20))});
  }
  std::optional<entry> by_inode(inode ino) { return readers.borrow()->by_inode(ino); }
  std::optional<std::string> source_path(inode ino) { return readers.borrow()->source_path(ino); }
  std::optional<std::string> path(inode ino) { return readers.borrow()->path(ino); }
  index::total of(state s) { return readers.borrow()->totals().of(s); }

  static constexpr std::int64_t now = 5000 * second;
};

}  // namespace

TEST_CASE("what was deleted here is not brought back by the source, and what only was here is forgotten") {
  changed_here f;
  f.remove(f.gap), f.remove(f.common), f.remove(f.added);
  for (int i = 0; i < 2; ++i) {
    CHECK(f.names_in(f.d).empty());
    CHECK(f.of(state::deleted) == index::total{2, 30, 0});
    CHECK(f.of(state::added).files == 0);
    f.list_again();
  }
  CHECK_FALSE(f.by_inode(f.added));
  CHECK(f.by_inode(f.d)->shown().mtime == f.now);
}

TEST_CASE("a picture that is made where one was deleted is new, and the source's stays hidden") {
  changed_here f;
  f.remove(f.gap);
  const inode again = f.create(f.d, "gap.jpg");
  CHECK(again != f.gap);
  f.list_again();
  CHECK(f.by_inode(again)->state == state::added);
  CHECK(f.of(state::deleted).files == 1);
  f.remove(again);
  CHECK_FALSE(f.by_inode(again));
  f.list_again();
  CHECK(f.names_in(f.d) == strings{"common.jpg", "new.jpg"});
}

TEST_CASE("a renamed picture keeps its inode and state, and is fetched from where the source has it") {
  changed_here f;
  f.rename(f.gap, f.e, "later.jpg");
  for (int i = 0; i < 2; ++i) {
    CHECK(f.by_inode(f.gap)->state == state::missing);
    CHECK(f.path(f.gap) == "e/later.jpg");
    CHECK(f.source_path(f.gap) == "d/gap.jpg");
    CHECK(f.names_in(f.d) == strings{"common.jpg", "new.jpg"});
    CHECK(f.of(state::missing) == index::total{1, 10, 0});
    CHECK(f.of(state::deleted).files == 0);
    f.list_again();
    f.list(side::source, f.e, "e", {});
  }
  SECTION("and back, as if nothing had been") {
    f.rename(f.gap, f.d, "gap.jpg");
    CHECK(f.by_inode(f.gap)->origin == std::nullopt);
    f.list_again();
    CHECK(f.names_in(f.d) == strings{"common.jpg", "gap.jpg", "new.jpg"});
  }
  SECTION("and renamed again") {
    f.rename(f.gap, root_inode, "third.jpg");
    CHECK(f.source_path(f.gap) == "d/gap.jpg");
    CHECK(f.names_in(f.e).empty());
  }
  SECTION("and deleted: the source's stays hidden") {
    f.remove(f.gap);
    f.list_again();
    CHECK(f.of(state::deleted) == index::total{1, 10, 0});
    CHECK(f.names_in(f.d) == strings{"common.jpg", "new.jpg"});
  }
  SECTION("and learns what the source has under the old name") {
    f.list(side::source, f.d, "d", {named("gap.jpg", file_side(11, 2000)), named("common.jpg", file_side(20))});
    CHECK(f.by_inode(f.gap)->source == file_side(11, 2000));
  }
  SECTION("and is lost when the source has deleted it") {
    f.list(side::source, f.d, "d", {named("common.jpg", file_side(20))});
    CHECK(f.by_inode(f.gap)->state == state::away);
    CHECK(f.names_in(f.e).empty());
  }
}

TEST_CASE("a renamed directory takes all that is in it along, and new pictures of the source's come to it") {
  changed_here f;
  f.rename(f.d, f.e, "sub");
  CHECK(f.path(f.gap) == "e/sub/gap.jpg");
  CHECK(f.source_path(f.gap) == "d/gap.jpg");
  const auto found = f.list_source({named("d", directory_side(2000)), named("e", directory_side())});
  REQUIRE(found.size() == 2);
  const auto& moved = found[0].path == "d" ? found[0] : found[1];
  CHECK(moved.ino == f.d);
  CHECK(moved.path == "d");
  f.list(side::source, f.e, "e", {});
  f.list(side::source, f.d, "d",
         {named("gap.jpg", file_side(10)), named("common.jpg", file_side(20)), named("x.jpg", file_side(7))});
  CHECK(f.names_in(f.d) == strings{"common.jpg", "gap.jpg", "new.jpg", "x.jpg"});
  CHECK(f.names_in(root_inode) == strings{"e"});
  CHECK(f.names_in(f.e) == strings{"sub"});
  SECTION("and stays, with what is here, when the source has deleted it") {
    f.list_source({named("e", directory_side())});
    CHECK(f.names_in(f.d) == strings{"common.jpg", "new.jpg"});
    CHECK(f.by_inode(f.common)->state == state::added);
  }
}

TEST_CASE("what was deleted in a renamed directory stays known below its old name when the directory goes") {
  changed_here f;
  f.rename(f.d, root_inode, "z");
  for (const inode ino : {f.gap, f.common, f.added}) f.remove(ino);
  SECTION("by its removal") { f.remove(f.d); }
  SECTION("as another gets its name") { f.rename(f.e, root_inode, "z"); }
  const auto there = f.readers.borrow()->hidden_child(root_inode, "d").value();
  CHECK(there.state == state::deleted);
  CHECK(f.by_inode(f.gap)->parent == there.ino);
  CHECK(f.of(state::deleted) == index::total{2, 30, 0});
  f.writer.run([&](index::transaction& t) { CHECK(index::apply_undelete(t, there.ino)); });
  f.list(side::source, there.ino, "d", {named("gap.jpg", file_side(10)), named("common.jpg", file_side(20))});
  CHECK(f.names_in(there.ino).empty());
}

TEST_CASE("an edit that is saved by a rename is one picture, overwritten") {
  changed_here f;
  const bool same_size = GENERATE(false, true);
  const auto known = f.by_inode(f.common)->source->size;
  const inode saved = f.create(f.d, "upload.tmp", same_size ? known : known + 1);
  f.rename(saved, f.d, "common.jpg");
  f.list_again();
  CHECK(f.names_in(f.d) == strings{"common.jpg", "gap.jpg", "new.jpg"});
  CHECK(f.by_inode(saved)->state == state::conflict);
  CHECK(f.by_inode(saved)->source->size == known);
  CHECK(f.of(state::deleted).files == 0);
  CHECK_FALSE(f.by_inode(f.common));
}

TEST_CASE("an edit that is saved over a renamed picture keeps that picture's name on the source") {
  changed_here f;
  f.rename(f.gap, f.e, "x.jpg");
  const inode saved = f.create(f.e, "upload.tmp", 77);
  f.rename(saved, f.e, "x.jpg");
  CHECK(f.by_inode(saved)->state == state::conflict);
  CHECK(f.source_path(saved) == "d/gap.jpg");
  f.list_again();
  CHECK(f.names_in(f.d) == strings{"common.jpg", "new.jpg"});
}

TEST_CASE("two entries swap their names, and their places on the source stay apart") {
  changed_here f;
  f.writer.run([&](index::transaction& t) { index::apply_exchange(t, f.gap, f.e, f.now); });
  CHECK(f.path(f.gap) == "e");
  CHECK(f.path(f.e) == "d/gap.jpg");
  CHECK(f.source_path(f.gap) == "d/gap.jpg");
  CHECK(f.source_path(f.e) == "e");
  f.list_again();
  CHECK(f.names_in(root_inode) == strings{"d", "e"});
}

TEST_CASE("what the source gets under the name of a renamed entry is a conflict, and shown when that goes") {
  changed_here f;
  f.rename(f.gap, f.e, "x.jpg");
  for (int i = 0; i < 2; ++i) {
    f.list(side::source, f.e, "e", {named("x.jpg", file_side(99))});
    CHECK(f.names_in(f.e) == strings{"x.jpg"});
    CHECK(f.by_inode(f.gap)->source == file_side(10));
    CHECK(f.of(state::conflict) == index::total{1, 99, 0});
  }
  f.remove(f.gap);
  f.list(side::source, f.e, "e", {named("x.jpg", file_side(99))});
  CHECK(f.row("e/x.jpg").state == state::missing);
  CHECK(f.of(state::conflict) == index::total{});
}

TEST_CASE("a picture of both sides that is written here is a conflict, whatever its size") {
  changed_here f;
  const auto write = [&](inode ino, std::uint64_t size, bool content = true) {
    f.writer.run([&](index::transaction& t) {
      index::apply_local_change(t, ino, file_side(size, 6000), {}, {}, content, f.now);
    });
  };
  SECTION("the source's") {
    write(f.common, 20);
    f.list_again();
    write(f.common, 20, false);
    CHECK(f.by_inode(f.common)->state == state::conflict);
    SECTION("until it has another") {
      write(f.common, 21);
      CHECK(f.by_inode(f.common)->state == state::conflict);
      CHECK(f.by_inode(f.common)->error.empty());
    }
    SECTION("or is found to be the same, with the source") {
      for (const bool compared : {false, true}) {
        f.writer.run([&](index::transaction& t) {
          index::apply_sound_digest(t, f.common, file_side(20, 6000), "digest", compared);
        });
        CHECK(f.by_inode(f.common)->state == (compared ? state::common : state::conflict));
      }
    }
    SECTION("or the source's is wanted, and can't be had") {
      f.writer.run([&](index::transaction& t) {
        index::apply_sound_digest(t, f.common, file_side(20, 6000), "digest", false);
        CHECK(index::apply_keep_source(t, f.common));
        index::apply_fetch_failure(t, f.common, "no route", 7);
        index::apply_failed_keep_source(t, f.common);
      });
      CHECK(f.by_inode(f.common)->state == state::conflict);
      CHECK(is_sound_here(f.by_inode(f.common)->reason));
    }
  }
  SECTION("a gap that was replaced, byte for byte as long") {
    f.create(f.d, "gap.jpg", 0);
    CHECK(f.by_inode(f.gap)->state == state::conflict);
    write(f.gap, 10);
    CHECK(f.by_inode(f.gap)->state == state::conflict);
  }
  SECTION("but not when only its mode or time is set") {
    write(f.common, 20, false);
    CHECK(f.by_inode(f.common)->state == state::common);
  }
  SECTION("and what is only here stays new, until the source has the same") {
    write(f.added, 30);
    CHECK(f.by_inode(f.added)->state == state::added);
    f.list(side::source, f.d, "d", {named("new.jpg", file_side(30))});
    CHECK(f.by_inode(f.added)->state == state::common);
  }
}

TEST_CASE("what was set of a missing picture is shown at once and kept until it arrives") {
  changed_here f;
  CHECK(f.writer.run([&](index::transaction& t) {
    return index::apply_deferred_attributes(t, f.gap, {0600, 1000, {}, 77 * second}, f.now);
  }));
  CHECK(f.by_inode(f.gap)->shown() == file_facts{S_IFREG | 0600, 10, 77 * second});
  f.list_again();
  CHECK(f.by_inode(f.gap)->shown().mtime == 77 * second);
  CHECK(f.by_inode(f.gap)->uid == 1000);
}

TEST_CASE("nothing is wished for of a picture that has arrived: it is set on the disk") {
  changed_here f;
  f.writer.run([&](index::transaction& t) {
    index::apply_arrival(t, {f.gap, f.by_inode(f.gap)->parent, "gap.jpg", file_side(10), "digest"});
    CHECK_FALSE(index::apply_deferred_attributes(t, f.gap, {0600, {}, {}, {}}, f.now));
  });
  CHECK_FALSE(f.by_inode(f.gap)->set_mode);
}

}  // namespace ferryfs::test
