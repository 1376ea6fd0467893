// Decisions about a name outlive its absence from the source.
#include "index/update/away.hpp"

#include "index/query/rows_below.hpp"
#include "index/update/decision.hpp"
#include "index/update/local_change.hpp"
#include "tests/catch.hpp"
#include "tests/index/index_fixture.hpp"

namespace ferryfs::test {
namespace {

using index::side;

// d/ with three gaps and a common picture, on a source that goes away and comes back.
struct archive : index_fixture {
  inode d = insert(root_inode, "d", directory_side(), directory_side());
  inode gap = insert(d, "gap.jpg", file_side(1));
  inode common = insert(d, "common.jpg", file_side(2), file_side(2));
  inode other = insert(d, "other.jpg", file_side(3));

  void away() {
    SECTION("its names are gone") { list(side::source, d, "d", {}); }
    SECTION("its directory is gone") { list_source({}); }
  }
  void back() {
    list_source({named("d", directory_side(2000))}, 2000);
    list(side::source, d, "d",
         {named("common.jpg", file_side(2)), named("gap.jpg", file_side(1)), named("other.jpg", file_side(3))}, 2000);
  }
  template <typename Change>
  void change(Change&& c) {
    writer.run([&](index::transaction& t) { c(t); });
  }
  std::vector<std::string> shown() { return names_in(d); }
};

using strings = std::vector<std::string>;

TEST_CASE("a deletion outlives the absence of what was deleted") {
  archive f;
  f.change([&](auto& t) { index::apply_removal(t, f.gap, 5); });
  f.away();
  f.back();
  CHECK(f.shown() == strings{"common.jpg", "other.jpg"});
  CHECK(f.row("d/gap.jpg").state == state::deleted);
}

TEST_CASE("a rename of a gap outlives the gap's absence") {
  archive f;
  f.change([&](auto& t) { index::apply_rename(t, f.gap, f.d, "kept.jpg", 5); });
  f.away();
  CHECK_FALSE(f.at("d/kept.jpg"));
  f.back();
  CHECK(f.shown() == strings{"common.jpg", "kept.jpg", "other.jpg"});
  CHECK(f.row("d/kept.jpg").ino == f.gap);
  CHECK(f.row("d/kept.jpg").state == state::missing);
  CHECK(f.readers.borrow()->source_path(f.gap) == "d/gap.jpg");
}

TEST_CASE("a listing that ends without a batch does not name what was renamed or deleted here") {
  archive f;
  f.change([&](auto& t) { index::apply_rename(t, f.gap, f.d, "kept.jpg", 5); });
  f.change([&](auto& t) { index::apply_removal(t, f.other, 5); });
  index::listing_merge merge{side::source, f.d, "d"};
  strings names;
  f.change([&](auto& t) {
    for (const auto& one : merge.not_named(t)) names.push_back(one.name);
  });
  CHECK(names == strings{"common.jpg", "gap.jpg", "other.jpg"});
}

TEST_CASE("a rename of what is here outlives the absence of the source's copy") {
  archive f;
  f.change([&](auto& t) { index::apply_rename(t, f.common, f.d, "kept.jpg", 5); });
  f.away();
  CHECK(f.row("d/kept.jpg").state == state::added);
  f.back();
  CHECK(f.row("d/kept.jpg").state == state::common);
  CHECK(f.shown() == strings{"gap.jpg", "kept.jpg", "other.jpg"});
}

TEST_CASE("what was skipped is skipped when it is back, and counts nowhere meanwhile") {
  archive f;
  f.change([&](auto& t) { index::apply_skip(t, f.gap); });
  f.change([&](auto& t) { index::apply_skip(t, f.other), index::apply_rename(t, f.other, f.d, "kept.jpg", 5); });
  f.away();
  CHECK(f.shown() == strings{"common.jpg"});
  CHECK(f.readers.borrow()->totals().of(state::skipped).files == 0);
  CHECK(f.readers.borrow()->lost_totals().files == 0);
  f.back();
  CHECK(f.row("d/gap.jpg").state == state::skipped);
  CHECK(f.row("d/kept.jpg").state == state::skipped);
  CHECK(f.shown() == strings{"common.jpg", "gap.jpg", "kept.jpg"});
}

TEST_CASE("decisions below a directory that is only on the source outlive the directory's absence") {
  archive f;
  const inode sub = f.insert(f.d, "sub", directory_side());
  const inode below = f.insert(sub, "below.jpg", file_side(8));
  f.change([&](auto& t) { index::apply_removal(t, below, 5); });
  f.list(side::source, f.d, "d", {});
  CHECK(f.shown() == strings{"common.jpg"});
  f.list(side::source, f.d, "d", {named("sub", directory_side(3000))});
  REQUIRE(f.at("d/sub"));
  f.list(side::source, f.row("d/sub").ino, "d/sub", {named("below.jpg", file_side(8)), named("new.jpg", file_side(8))});
  CHECK(f.names_in(f.row("d/sub").ino) == strings{"new.jpg"});
}

TEST_CASE("a conflict of the same size is one again when the source has its copy again") {
  archive f;
  f.edit(f.common, [](entry& e) { e.state = state::conflict, e.set_reason(reason::written_here); });
  f.away();
  CHECK(f.row("d/common.jpg").state == state::added);
  f.back();
  CHECK(f.row("d/common.jpg").state == state::conflict);
}

TEST_CASE("a resolution outlives the absence of what was decided against") {
  archive f;
  f.edit(f.common, [](entry& e) { e.state = state::conflict, e.source->size = 5; });
  f.change([&](auto& t) { index::apply_keep_destination(t, f.common); });
  f.list(side::source, f.d, "d", {});
  f.list(side::source, f.d, "d", {named("common.jpg", file_side(5))});
  CHECK(f.row("d/common.jpg").state == state::added);
}

TEST_CASE("where the place of what comes back was taken, it comes under the source's name") {
  archive f;
  f.change([&](auto& t) { index::apply_rename(t, f.gap, f.d, "kept.jpg", 5); });
  f.list(side::source, f.d, "d", {});
  f.insert(f.d, "kept.jpg", {}, file_side(9));
  f.back();
  CHECK(f.row("d/kept.jpg").state == state::added);
  CHECK(f.row("d/gap.jpg").state == state::missing);
}

// d/gap.jpg was renamed to other/sub/kept.jpg, and all is away; then the source has d/ again, and not yet the other.
struct archive_of_two : archive {
  inode other_directory = insert(root_inode, "other", directory_side());
  inode sub = insert(other_directory, "sub", directory_side());

  archive_of_two() {
    change([&](auto& t) { index::apply_rename(t, gap, sub, "kept.jpg", 5); });
    list_source({});
    back();
  }
  void other_is_back() {
    list_source({named("d", directory_side(2000)), named("other", directory_side(2000))}, 2000);
    list(side::source, row("other").ino, "other", {named("sub", directory_side(2000))}, 2000);
  }
  std::string lines() {
    return writer.run([](index::transaction& t) { return t.unwritten_decisions().text; });
  }
  std::vector<inode> end_scan(bool whole) {
    return writer.run([&](index::transaction& t) { return index::bring_back_waiting(t, whole); });
  }
};

TEST_CASE("a rename into a directory that comes back later is not forgotten") {
  archive_of_two f;
  CHECK(f.shown() == strings{"common.jpg", "other.jpg"});
  CHECK(f.end_scan(false).empty());
  CHECK(f.shown() == strings{"common.jpg", "other.jpg"});
  f.other_is_back();
  CHECK(f.end_scan(true).empty());
  CHECK(f.row("other/sub/kept.jpg").ino == f.gap);
  CHECK(f.row("other/sub/kept.jpg").state == state::missing);
  CHECK(f.readers.borrow()->source_path(f.gap) == "d/gap.jpg");
  CHECK(f.shown() == strings{"common.jpg", "other.jpg"});
}

TEST_CASE("what waits for its directory and leaves the source again is not brought back") {
  archive_of_two f;
  f.list(side::source, f.d, "d", {named("common.jpg", file_side(2))}, 3000);
  f.other_is_back();
  CHECK(f.end_scan(true).empty());
  CHECK_FALSE(f.at("other/sub/kept.jpg"));
  f.back();
  f.other_is_back();
  CHECK(f.end_scan(true).empty());
  CHECK(f.row("other/sub/kept.jpg").ino == f.gap);
}

TEST_CASE("where the directory of a renamed picture does not come back, it has the source's name") {
  archive_of_two f;
  SECTION("which is free") {
    REQUIRE(f.readers.borrow()->lost_totals().files == 1);
    CHECK(f.end_scan(true).empty());
    CHECK(f.row("d/gap.jpg").ino == f.gap);
    CHECK(f.row("d/gap.jpg").state == state::missing);
    CHECK(f.readers.borrow()->lost_totals().files == 0);
    CHECK_THAT(f.lines(), contains_text("renamed\tother/sub/kept.jpg\td/gap.jpg"));
  }
  SECTION("which was taken: they are in conflict") {
    const inode mine = f.insert(f.d, "gap.jpg", {}, file_side(9));
    CHECK(f.end_scan(true).empty());
    CHECK(f.row("d/gap.jpg").ino == mine);
    CHECK(f.row("d/gap.jpg").state == state::conflict);
    CHECK_THAT(f.lines(), contains_text("reopened\td/gap.jpg"));
    CHECK(f.readers.borrow()->totals().of(state::conflict).files == 1);
  }
}

TEST_CASE("a deletion is taken back, with the directories above it") {
  archive f;
  const inode sub = f.insert(f.d, "sub", directory_side());
  const inode below = f.insert(sub, "below.jpg", file_side(8));
  f.change([&](auto& t) { index::apply_removal(t, below, 5), index::apply_removal(t, sub, 5); });
  CHECK_FALSE(f.readers.borrow()->at("d/sub"));
  std::vector<std::string> deleted;
  index::rows_below(*f.readers.borrow(), {state::deleted}, "d/sub",
                    [&](const std::string& path, const entry&) { return deleted.push_back(path), true; });
  CHECK(deleted == strings{"d/sub", "d/sub/below.jpg"});
  CHECK(f.writer.run([&](index::transaction& t) { return index::apply_undelete(t, below); }));
  CHECK(f.row("d/sub/below.jpg").state == state::missing);
  CHECK(f.row("d/sub").state == state::missing);
  CHECK_FALSE(f.writer.run([&](index::transaction& t) { return index::apply_undelete(t, below); }));
}

TEST_CASE("a deletion is not taken back where another has the name") {
  archive f;
  f.change([&](auto& t) { index::apply_removal(t, f.gap, 5); });
  f.insert(f.d, "gap.jpg", {}, file_side(9));
  CHECK_FALSE(f.writer.run([&](index::transaction& t) { return index::apply_undelete(t, f.gap); }));
}

}  // namespace
}  // namespace ferryfs::test
