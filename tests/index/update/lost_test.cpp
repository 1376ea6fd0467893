// A picture that left the source before it was fetched is reported, not forgotten.
#include "index/update/local_change.hpp"
#include "tests/catch.hpp"
#include "tests/index/index_fixture.hpp"

namespace ferryfs::test {
namespace {

using index::side;

std::vector<std::string> lost(index_fixture& f) {
  std::vector<std::string> paths;
  f.readers.borrow()->lost_pictures([&](const index::lost_picture& l) {
    paths.push_back(l.path);
    return true;
  });
  return paths;
}
using list = std::vector<std::string>;

TEST_CASE("a gap that left the source is lost, with its size, and what was here or accepted is not", "[lost]") {
  index_fixture f;
  f.insert(root_inode, "common.jpg", file_side(1), file_side(1));
  f.insert(root_inode, "gap.jpg", file_side(7));
  f.edit(f.insert(root_inode, "skipped.jpg", file_side(2)), [](entry& e) { e.state = state::skipped; });
  f.list_source({});
  CHECK(lost(f) == list{"gap.jpg"});
  CHECK(f.readers.borrow()->lost_totals().bytes == 7);
  CHECK_FALSE(f.at("gap.jpg"));
}

TEST_CASE("a directory's gaps are lost with it, each under its path", "[lost]") {
  index_fixture f;
  const inode day = f.insert(root_inode, "day", directory_side());
  f.insert(f.insert(day, "sub", directory_side()), "1.jpg", file_side(1));
  f.insert(day, "2.jpg", file_side(1));
  f.list_source({});
  CHECK(lost(f) == list{"day/2.jpg", "day/sub/1.jpg"});
}

TEST_CASE("a lost picture is lost no more when the source shows it again, or somebody puts it here", "[lost]") {
  index_fixture f;
  f.insert(root_inode, "1.jpg", file_side(1));
  f.insert(root_inode, "2.jpg", file_side(1));
  f.list_source({});
  REQUIRE(lost(f).size() == 2);
  f.list_source({named("1.jpg", file_side(1))});
  CHECK(lost(f) == list{"2.jpg"});
  f.writer.run([](index::transaction& t) {
    index::apply_creation(t, {root_inode, "2.jpg", file_side(1), {}, {}, ""}, 1);
  });
  CHECK(lost(f).empty());
}

TEST_CASE("a gap that was renamed here is lost under the name it has here", "[lost]") {
  index_fixture f;
  const inode gap = f.insert(root_inode, "1.jpg", file_side(1));
  f.writer.run([&](index::transaction& t) { index::apply_rename(t, gap, root_inode, "one.jpg", 1); });
  f.list_source({});
  CHECK(lost(f) == list{"one.jpg"});
}

TEST_CASE("what a listing leaves out on purpose is not lost", "[lost]") {
  index_fixture f;
  f.insert(root_inode, "junk.tmp", file_side(1));
  f.insert(root_inode, "1.jpg", file_side(1));
  index::listing_merge merge{side::source, root_inode, "", {}, [](const entry& e) { return e.name == "junk.tmp"; }};
  f.writer.run([&](index::transaction& t) {
    merge.batch(t, {});
    merge.finish(t, directory_side(), 1000);
  });
  CHECK(lost(f) == list{"1.jpg"});
  CHECK_FALSE(f.at("junk.tmp"));
}

}  // namespace
}  // namespace ferryfs::test
