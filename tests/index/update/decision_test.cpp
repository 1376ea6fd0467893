// An operator's decisions about gaps and conflicts, and what later scans of either side make of them.
#include "index/update/decision.hpp"

#include "index/query/rows_below.hpp"
#include "index/query/set.hpp"
#include "index/update/fetch_result.hpp"
#include "index/update/local_change.hpp"
#include "tests/catch.hpp"
#include "tests/index/index_fixture.hpp"

namespace ferryfs::test {
namespace {

using index::side;
using strings = std::vector<std::string>;

// d/ with a gap and a picture in conflict.
struct undecided : index_fixture {
  inode d, gap, conflict;
  std::vector<index::change> notified;
  undecided() {
    writer.on_change([this](std::vector<index::change> c) { notified.insert(notified.end(), c.begin(), c.end()); });
    d = insert(root_inode, "d", directory_side(), directory_side());
    gap = insert(d, "gap.jpg", file_side(10));
    conflict = insert(d, "image.jpg", file_side(20), file_side(21));
  }
  template <typename Decision>
  auto decide(Decision&& decision) {
    return writer.run([&](index::transaction& t) { return decision(t); });
  }
  void keep_destination(inode ino) {
    CHECK(decide([&](auto& t) { return index::apply_keep_destination(t, ino); }));
  }
  inode keep_both(inode ino, const std::string& name) {
    return decide([&](auto& t) { return index::apply_keep_both(t, ino, name); });
  }
  void remove(inode ino) {
    decide([&](auto& t) { return index::apply_removal(t, ino, 5000 * second), 0; });
  }
  void source_has(const std::vector<index::directory_entry>& names) {
    list_source({named("d", directory_side())});
    list(side::source, d, "d", names);
  }
  void source_has(file_facts image) { source_has({named("gap.jpg", file_side(10)), named("image.jpg", image)}); }
  void destination_has(const std::vector<index::directory_entry>& names) { list(side::destination, d, "d", names, 0); }
  std::int64_t of(state s) { return readers.borrow()->totals().of(s).files; }
  state state_of(inode ino) { return readers.borrow()->by_inode(ino).value().state; }
  std::string source_path(inode ino) { return readers.borrow()->source_path(ino).value(); }
  bool complete() { return readers.borrow()->totals().complete(); }
};

}  // namespace

TEST_CASE("a skipped gap keeps nothing from being complete, and comes back when it is wanted") {
  undecided f;
  f.keep_destination(f.conflict);
  CHECK_FALSE(f.complete());
  CHECK(f.decide([&](auto& t) { return index::apply_skip(t, f.gap); }));
  CHECK(f.complete());
  CHECK(f.of(state::skipped) == 1);
  CHECK(f.names_in(f.d) == strings{"gap.jpg", "image.jpg"});
  SECTION("it stays skipped, also when the source's becomes another") {
    for (const auto& now : {file_side(10), file_side(11, 2000)}) {
      f.source_has({named("gap.jpg", now), named("image.jpg", file_side(20))});
      CHECK(f.state_of(f.gap) == state::skipped);
      CHECK(f.row("d/gap.jpg").source == now);
    }
    CHECK(f.decide([&](auto& t) { return index::apply_unskip(t, f.gap); }));
    CHECK(f.state_of(f.gap) == state::missing);
    CHECK(f.of(state::skipped) == 0);
  }
  SECTION("somebody's read of it makes it local, a failed one does not make it wanted") {
    f.decide([&](auto& t) { return index::apply_fetch_failure(t, f.gap, "no", 1), 0; });
    CHECK(f.state_of(f.gap) == state::skipped);
    f.decide([&](auto& t) { return index::apply_arrival(t, {f.gap, f.d, "gap.jpg", file_side(10), ""}), 0; });
    CHECK(f.state_of(f.gap) == state::common);
  }
}

TEST_CASE("failed gaps are skipped as well, anything else is not") {
  undecided f;
  f.decide([&](auto& t) { return index::apply_fetch_failure(t, f.gap, "no", 1), 0; });
  CHECK(f.decide([&](auto& t) { return index::apply_skip(t, f.gap); }));
  CHECK(f.row("d/gap.jpg").error.empty());
  CHECK_FALSE(f.decide([&](auto& t) { return index::apply_skip(t, f.conflict); }));
  CHECK_FALSE(f.decide([&](auto& t) { return index::apply_unskip(t, f.conflict); }));
}

TEST_CASE("what is kept here is new, and the source's copy comes back only as another") {
  undecided f;
  f.keep_destination(f.conflict);
  for (int i = 0; i < 2; ++i) {
    CHECK(f.state_of(f.conflict) == state::added);
    CHECK(f.row("d/image.jpg").shown() == file_side(21));
    CHECK(f.of(state::conflict) == 0);
    CHECK(f.of(state::deleted) == 1);
    CHECK(f.names_in(f.d) == strings{"gap.jpg", "image.jpg"});
    f.source_has(file_side(20));
    f.destination_has({named("image.jpg", file_side(21))});
  }
  SECTION("another mode is no other copy") {
    f.source_has({S_IFREG | 0600, 20, 1000 * second});
    CHECK(f.state_of(f.conflict) == state::added);
    CHECK(f.of(state::deleted) == 1);
  }
  SECTION("another size or time is") {
    f.source_has(GENERATE(file_side(22), file_side(20, 1001)));
    CHECK(f.state_of(f.conflict) == state::conflict);
    CHECK(f.row("d/image.jpg").shown() == file_side(21));
    CHECK(f.of(state::deleted) == 0);
  }
  SECTION("and where it has become the same as ours, they are common") {
    f.source_has(file_side(21, 1001));
    CHECK(f.state_of(f.conflict) == state::common);
    CHECK(f.of(state::deleted) == 0);
  }
  SECTION("what left the source is new here") {
    f.source_has({named("gap.jpg", file_side(10))});
    CHECK(f.state_of(f.conflict) == state::added);
  }
  SECTION("what is then deleted here stays away, whatever the source has") {
    f.remove(f.conflict);
    f.source_has(file_side(99, 2000));
    CHECK(f.names_in(f.d) == strings{"gap.jpg"});
    CHECK(f.of(state::deleted) == 1);
  }
}

TEST_CASE("a picture that was decided for can be decided again") {
  undecided f;
  f.keep_destination(f.conflict);
  f.source_has(file_side(22));
  REQUIRE(f.state_of(f.conflict) == state::conflict);
  f.keep_destination(f.conflict);
  f.source_has(file_side(22));
  CHECK(f.state_of(f.conflict) == state::added);
  CHECK(f.of(state::deleted) == 1);
}

TEST_CASE("where both are kept, the source's is a gap of another name, and scans of both sides leave them alone") {
  undecided f;
  const inode copy = f.keep_both(f.conflict, "image.source.jpg");
  REQUIRE(copy != 0);
  const bool listed = std::any_of(f.notified.begin(), f.notified.end(), [&](const auto& c) {
    return c.what == index::change::what::dentry && c.ino == f.d && c.name == "image.source.jpg";
  });
  CHECK(listed);
  for (int i = 0; i < 2; ++i) {
    CHECK(f.state_of(f.conflict) == state::added);
    CHECK(f.state_of(copy) == state::missing);
    CHECK(f.source_path(copy) == "d/image.jpg");
    CHECK(f.row("d/image.source.jpg").shown() == file_side(20));
    CHECK(f.of(state::conflict) == 0);
    CHECK(f.names_in(f.d) == strings{"gap.jpg", "image.jpg", "image.source.jpg"});
    f.source_has(file_side(20));
    f.destination_has({named("image.jpg", file_side(21))});
  }
  SECTION("the copy learns what the source has now") {
    f.source_has(file_side(25, 2000));
    CHECK(f.row("d/image.source.jpg").shown() == file_side(25, 2000));
    CHECK(f.state_of(f.conflict) == state::added);
  }
  SECTION("it arrives, and is common from then on") {
    f.decide([&](auto& t) {
      return index::apply_arrival(t, {copy, f.d, "image.source.jpg", file_side(20), "digest"}), 0;
    });
    f.source_has(file_side(20));
    f.destination_has({named("image.jpg", file_side(21)), named("image.source.jpg", file_side(20))});
    CHECK(f.state_of(copy) == state::common);
    CHECK(f.state_of(f.conflict) == state::added);
  }
  SECTION("what the source has under the new name stands against it") {
    f.source_has(
        {named("gap.jpg", file_side(10)), named("image.jpg", file_side(20)), named("image.source.jpg", file_side(3))});
    CHECK(f.of(state::conflict) == 1);
    CHECK(f.state_of(copy) == state::missing);
  }
}

TEST_CASE("a taken name is refused, and nothing is changed") {
  undecided f;
  CHECK(f.keep_both(f.conflict, "gap.jpg") == 0);
  CHECK(f.state_of(f.conflict) == state::conflict);
  CHECK(f.keep_both(f.gap, "other.jpg") == 0);
}

TEST_CASE("a conflict that was renamed here is decided where it stands") {
  undecided f;
  f.decide([&](auto& t) { return index::apply_rename(t, f.conflict, root_inode, "mine.jpg", 1), 0; });
  SECTION("for what is here") {
    f.keep_destination(f.conflict);
    f.source_has(file_side(20));
    CHECK(f.state_of(f.conflict) == state::added);
    CHECK(f.names_in(f.d) == strings{"gap.jpg"});
    CHECK(f.of(state::deleted) == 1);
  }
  SECTION("for both") {
    const inode copy = f.keep_both(f.conflict, "mine.source.jpg");
    f.source_has(file_side(20));
    CHECK(f.source_path(copy) == "d/image.jpg");
    CHECK(f.names_in(root_inode) == strings{"d", "mine.jpg", "mine.source.jpg"});
    CHECK(f.state_of(f.conflict) == state::added);
  }
}

TEST_CASE("what the source has under the name of a renamed picture is decided as well") {
  undecided f;
  f.decide([&](auto& t) { return index::apply_rename(t, f.gap, f.d, "x.jpg", 1), 0; });
  const auto rescan = [&](std::uint64_t size) {
    f.source_has({named("gap.jpg", file_side(10)), named("image.jpg", file_side(20)), named("x.jpg", file_side(size))});
  };
  rescan(7);
  REQUIRE(f.of(state::conflict) == 2);
  const inode shadowed = f.readers.borrow()->hidden_child(f.d, "x.jpg").value().ino;
  SECTION("for what is here") {
    f.keep_destination(shadowed);
    rescan(7);
    CHECK(f.of(state::conflict) == 1);
    CHECK(f.state_of(f.gap) == state::missing);
    rescan(8);
    CHECK(f.of(state::conflict) == 2);
    CHECK(f.source_path(f.gap) == "d/gap.jpg");
  }
  SECTION("for both") {
    const inode copy = f.keep_both(shadowed, "x.source.jpg");
    rescan(7);
    CHECK(f.source_path(copy) == "d/x.jpg");
    CHECK(f.source_path(f.gap) == "d/gap.jpg");
    CHECK(f.names_in(f.d) == strings{"image.jpg", "x.jpg", "x.source.jpg"});
    CHECK(f.of(state::conflict) == 1);
  }
}

TEST_CASE("a directory of the source's under the name of a file here can be had beside it") {
  undecided f;
  const inode file = f.insert(root_inode, "album", directory_side(), file_side(5));
  REQUIRE(f.state_of(file) == state::conflict);
  const inode copy = f.keep_both(file, "album.source");
  const auto found = f.list_source({named("d", directory_side()), named("album", directory_side())});
  REQUIRE(found.size() == 2);
  const auto& there = found[0].path == "album" ? found[0] : found[1];
  CHECK(there.ino == copy);
  f.list(side::source, copy, "album", {named("a.jpg", file_side(1))});
  CHECK(f.row("album.source/a.jpg").state == state::missing);
  CHECK(f.source_path(f.row("album.source/a.jpg").ino) == "album/a.jpg");
  CHECK(f.state_of(file) == state::added);
}

TEST_CASE("the source's picture is a gap that stands over ours until it arrives") {
  undecided f;
  CHECK(f.decide([&](auto& t) { return index::apply_keep_source(t, f.conflict); }));
  CHECK(f.state_of(f.conflict) == state::missing);
  CHECK(f.row("d/image.jpg").shown() == file_side(20));
  CHECK(f.row("d/image.jpg").local == file_side(21));
  f.source_has(file_side(20));
  f.destination_has({named("image.jpg", file_side(21))});
  CHECK(f.state_of(f.conflict) == state::missing);
  SECTION("it arrives") {
    f.decide([&](auto& t) {
      return index::apply_arrival(t, {f.conflict, f.d, "image.jpg", file_side(20), "digest"}), 0;
    });
    f.source_has(file_side(20));
    CHECK(f.state_of(f.conflict) == state::common);
  }
  SECTION("it can't be had: the conflict is what it was") {
    f.decide([&](auto& t) { return index::apply_fetch_failure(t, f.conflict, "no", 1), 0; });
    f.decide([&](auto& t) { return index::apply_failed_keep_source(t, f.conflict), 0; });
    f.source_has(file_side(20));
    CHECK(f.state_of(f.conflict) == state::conflict);
    CHECK(f.row("d/image.jpg").shown() == file_side(21));
    CHECK(f.row("d/image.jpg").error.empty());
    CHECK(f.of(state::failed) == 0);
  }
}

TEST_CASE("a type conflict is not decided for the source alone") {
  undecided f;
  const inode file = f.insert(root_inode, "album", directory_side(), file_side(5));
  CHECK_FALSE(f.decide([&](auto& t) { return index::apply_keep_source(t, file); }));
  CHECK(f.state_of(file) == state::conflict);
}

TEST_CASE("the second name keeps the extension, counts, and is never too long") {
  using index::second_name;
  CHECK(second_name("image.jpg", false, 1) == "image.source.jpg");
  CHECK(second_name("image.jpg", false, 2) == "image.source-2.jpg");
  CHECK(second_name("a.b.tar", false, 3) == "a.b.source-3.tar");
  CHECK(second_name("README", false, 1) == "README.source");
  CHECK(second_name(".hidden", false, 1) == ".hidden.source");
  CHECK(second_name("2024.01", true, 1) == "2024.01.source");
  const std::string longest(251, 'x');
  CHECK(second_name(longest + ".jpg", false, 1) == std::string(244, 'x') + ".source.jpg");
  CHECK(second_name(std::string(255, 'x'), false, 12).size() == 255);
  CHECK(second_name(std::string(243, 'x') + "\xC3\xBC\xC3\xBC\xC3\xBC.jpg", false, 1) ==
        std::string(243, 'x') + ".source.jpg");
  CHECK(second_name("x." + std::string(253, 'y'), false, 1) == "x." + std::string(246, 'y') + ".source");
}

TEST_CASE("rows of some states are found at and below a path, hidden ones and directories as well") {
  undecided f;
  const inode album = f.insert(f.d, "album", file_side(5), directory_side());
  f.insert(album, "new.jpg", {}, file_side(1));
  f.decide([&](auto& t) { return index::apply_rename(t, f.gap, f.d, "x.jpg", 1), 0; });
  f.source_has({named("gap.jpg", file_side(10)), named("image.jpg", file_side(20)), named("x.jpg", file_side(7)),
                named("album", file_side(5))});
  const auto below = [&](std::string_view path) {
    strings found;
    index::rows_below(*f.readers.borrow(), {state::conflict, state::shadowed}, path, [&](const auto& at, const auto&) {
      found.push_back(at);
      return true;
    });
    return found;
  };
  CHECK(below("") == strings{"d/album", "d/image.jpg", "d/x.jpg"});
  CHECK(below("d/x.jpg") == strings{"d/x.jpg"});
  CHECK(below("d/album") == strings{"d/album"});
  CHECK(below("d/image.jpg") == strings{"d/image.jpg"});
  CHECK(below("nothing").empty());
}

}  // namespace ferryfs::test
