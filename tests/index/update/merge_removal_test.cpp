#include "index/update/merge.hpp"
#include "tests/catch.hpp"
#include "tests/index/index_fixture.hpp"

namespace ferryfs::test {
namespace {

using index::side;
using strings = std::vector<std::string>;

// d/ with a gap, a common picture, a new one, and a subdirectory with a gap.
struct tree : index_fixture {
  inode d = insert(root_inode, "d", directory_side(), directory_side());
  inode sub = insert(d, "sub", directory_side());
  tree() {
    insert(d, "gap.jpg", file_side(1));
    insert(d, "common.jpg", file_side(2), file_side(2));
    insert(d, "new.jpg", {}, file_side(4));
    insert(sub, "below.jpg", file_side(8));
  }
};

TEST_CASE("what a listing of the source does not name left only when the listing was complete") {
  tree f;
  index::listing_merge merge{side::source, f.d, "d"};
  f.writer.run([&](index::transaction& t) { merge.batch(t, {named("other.jpg", file_side(1))}); });
  CHECK(f.at("d/gap.jpg"));
  CHECK(f.at("d/sub/below.jpg"));
  f.writer.run([&](index::transaction& t) { merge.finish(t, directory_side(), 1000); });
  CHECK(f.names_in(f.d) == strings{"common.jpg", "new.jpg", "other.jpg"});
  CHECK_FALSE(f.readers.borrow()->by_inode(f.sub));
}

TEST_CASE("a picture that left the source stays where it is here, as new") {
  tree f;
  f.list(side::source, f.d, "d", {});
  CHECK(f.row("d/common.jpg").state == state::added);
  CHECK(f.row("d/common.jpg").local == file_side(2));
  CHECK_FALSE(f.row("d/common.jpg").source);
  CHECK(f.names_in(f.d) == strings{"common.jpg", "new.jpg"});
}

TEST_CASE("a picture that left the destination is a gap again, and gone where the source never had it") {
  tree f;
  f.list(side::destination, f.d, "d", {});
  CHECK(f.row("d/common.jpg").state == state::missing);
  CHECK(f.names_in(f.d) == strings{"common.jpg", "gap.jpg", "sub"});
}

TEST_CASE("a directory that left the source goes with all that is below, but for what is here") {
  tree f;
  f.insert(f.sub, "kept.jpg", file_side(16), file_side(16));
  f.edit(f.sub, [](entry& e) { e.local = directory_side(), e.state = state::common; });
  f.list_source({});
  CHECK(f.row("d").state == state::added);
  CHECK(f.names_in(f.d) == strings{"common.jpg", "new.jpg", "sub"});
  CHECK(f.names_in(f.sub) == strings{"kept.jpg"});
  CHECK(f.row("d/sub/kept.jpg").state == state::added);
}

TEST_CASE("a directory that left the source keeps its name as long as something below it is here") {
  tree f;
  // A picture is entered as here before its directory is.
  f.insert(f.sub, "kept.jpg", file_side(16), file_side(16));
  f.list_source({});
  CHECK(f.at("d/sub/kept.jpg"));
  CHECK(f.row("d/sub").state == state::added);
  CHECK(f.row("d/sub").is_directory());
}

TEST_CASE("a directory that left the destination leaves its gaps, and goes where the source never had it") {
  tree f;
  f.list_destination({});
  CHECK(f.row("d").state == state::missing);
  CHECK(f.names_in(f.d) == strings{"common.jpg", "gap.jpg", "sub"});
  CHECK(f.readers.borrow()->totals().of(state::missing) == index::total{3, 11, 0});
}

TEST_CASE("a deletion stays, also when the source has deleted the picture too") {
  tree f;
  f.edit(f.row("d/gap.jpg").ino, [](entry& e) { e.state = state::deleted; });
  f.list(side::destination, f.d, "d", {});
  CHECK(f.row("d/gap.jpg").state == state::deleted);
  f.list(side::source, f.d, "d", {});
  CHECK(f.row("d/gap.jpg").state == state::deleted);
}

TEST_CASE("a directory that became a file on the source takes what was below with it") {
  tree f;
  f.list(side::source, f.d, "d", {named("sub", file_side(3))});
  CHECK(f.row("d/sub").state == state::missing);
  CHECK(f.row("d/sub").source == file_side(3));
  CHECK(f.names_in(f.row("d/sub").ino).empty());
  CHECK(f.readers.borrow()->totals().of(state::missing).source_bytes == 3);
}

TEST_CASE("a file that became a directory on the source is listed next") {
  tree f;
  const auto next = f.list(side::source, f.d, "d", {named("gap.jpg", directory_side(9))});
  REQUIRE(next.size() == 1);
  CHECK(next[0].path == "d/gap.jpg");
  CHECK(f.row("d/gap.jpg").is_directory());
  CHECK_FALSE(f.row("d/gap.jpg").listed_mtime);
}

TEST_CASE("a directory that comes back is listed anew, though its time is the same") {
  tree f;
  f.insert(f.sub, "kept.jpg", file_side(16), file_side(16));
  f.edit(f.sub, [](entry& e) { e.local = directory_side(), e.state = state::common; });
  f.list(side::source, f.sub, "d/sub", {named("below.jpg", file_side(8))}, 555);
  REQUIRE(f.row("d/sub").listed_mtime == 555);
  SECTION("after it was a file") { f.list(side::source, f.d, "d", {named("sub", file_side(3))}); }
  SECTION("after it was away, its disk unmounted") { f.list(side::source, f.d, "d", {}); }
  f.list(side::source, f.d, "d", {named("sub", directory_side(555))});
  CHECK_FALSE(f.row("d/sub").listed_mtime);
}

TEST_CASE("no gap stays below a name that is no directory on either side any more") {
  tree f;
  // The destination has a file where the source has a directory.
  f.list(side::destination, f.d, "d", {named("sub", file_side(3))});
  REQUIRE(f.row("d/sub").state == state::conflict);
  REQUIRE(f.at("d/sub/below.jpg"));
  SECTION("the source's directory leaves") { f.list(side::source, f.d, "d", {}); }
  SECTION("the source's directory becomes a file") { f.list(side::source, f.d, "d", {named("sub", file_side(3))}); }
  CHECK(f.names_in(f.sub).empty());
  CHECK(f.readers.borrow()->totals().of(state::missing).source_bytes == 0);
}

TEST_CASE("a directory here that became a file keeps the gaps of the source's directory") {
  tree f;
  f.list_destination({named("d", file_side(3))});
  CHECK(f.row("d").state == state::conflict);
  CHECK(f.names_in(f.d) == strings{"common.jpg", "gap.jpg", "sub"});
  CHECK(f.row("d/common.jpg").state == state::missing);
}

}  // namespace
}  // namespace ferryfs::test
