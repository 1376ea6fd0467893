// The row of a picture that was sent to the source, whatever happened to it here meanwhile.
#include "index/update/push_result.hpp"

#include "index/update/local_change.hpp"
#include "tests/catch.hpp"
#include "tests/index/index_fixture.hpp"

namespace ferryfs::test {
namespace {

using strings = std::vector<std::string>;

// d/new.jpg was sent, and stands on the source.
struct sent_picture : index_fixture {
  inode d = insert(root_inode, "d", directory_side(), directory_side());
  inode ino = insert(d, "new.jpg", {}, file_side(30));
  entry sent = row("d/new.jpg");

  void record() {
    writer.run([&](index::transaction& t) {
      index::apply_push_result(t, {sent, file_side(30), std::string(32, 'x')});
    });
  }
  void scan() { list(index::side::source, d, "d", {named("new.jpg", file_side(30))}); }
  template <typename Change>
  void change(Change&& make) {
    writer.run([&](index::transaction& t) { make(t); });
  }
};

}  // namespace

TEST_CASE("what was sent is common, and stays so when the source is scanned") {
  sent_picture f;
  f.record();
  for (int i = 0; i < 2; ++i) {
    CHECK(f.row("d/new.jpg").state == state::common);
    CHECK(f.row("d/new.jpg").sha256 == std::string(32, 'x'));
    f.scan();
  }
  // It is the destination's own: what comes to stand on the source does not replace it.
  f.list(index::side::source, f.d, "d", {named("new.jpg", file_side(31, 2000))});
  CHECK(f.row("d/new.jpg").state == state::conflict);
}

TEST_CASE("what was deleted here while it was sent does not come back from the source") {
  sent_picture f;
  f.change([&](auto& t) { index::apply_removal(t, f.ino, 1); });
  f.record();
  f.scan();
  CHECK(f.names_in(f.d).empty());
  CHECK(f.row("d/new.jpg").state == state::deleted);
}

TEST_CASE("what was renamed here while it was sent is one picture under two names") {
  sent_picture f;
  f.change([&](auto& t) { index::apply_rename(t, f.ino, f.d, "b.jpg", 1); });
  f.record();
  f.scan();
  CHECK(f.names_in(f.d) == strings{"b.jpg"});
  CHECK(f.row("d/b.jpg").state == state::common);
  CHECK(f.readers.borrow()->source_path(f.ino) == "d/new.jpg");
}

TEST_CASE("what was written to while it was sent is a conflict") {
  sent_picture f;
  f.change([&](auto& t) { index::apply_local_change(t, f.ino, file_side(40), {}, {}, true, 1); });
  f.record();
  CHECK(f.row("d/new.jpg").state == state::conflict);
  CHECK(f.row("d/new.jpg").sha256.empty());
}

TEST_CASE("what was written to with the same size while it was sent is a conflict") {
  sent_picture f;
  f.change([&](auto& t) { index::apply_local_change(t, f.ino, file_side(30, 2000), {}, {}, true, 1); });
  f.record();
  CHECK(f.row("d/new.jpg").state == state::conflict);
  CHECK(f.row("d/new.jpg").sha256.empty());
}

TEST_CASE("what was sent has its name on the source, whatever was hidden under that before") {
  const state before = GENERATE(state::deleted, state::kept_local);
  sent_picture f;
  entry hidden;
  hidden.parent = f.d, hidden.name = "new.jpg", hidden.source = file_side(20), hidden.state = before;
  f.insert(hidden);
  f.record();
  for (int i = 0; i < 3; ++i) {
    CHECK(f.row("d/new.jpg").state == state::common);
    CHECK(f.readers.borrow()->totals().of(state::deleted).files == 0);
    f.scan();
  }
}

TEST_CASE("what was renamed here while it was sent is hidden as that where something deleted was") {
  sent_picture f;
  entry hidden;
  hidden.parent = f.d, hidden.name = "new.jpg", hidden.source = file_side(20), hidden.state = state::deleted;
  f.insert(hidden);
  f.change([&](auto& t) { index::apply_rename(t, f.ino, f.d, "b.jpg", 1); });
  f.record();
  f.scan();
  CHECK(f.row("d/b.jpg").state == state::common);
  CHECK(f.row("d/new.jpg").state == state::moved);
}

namespace {

// e/ was made here and is made on the source.
struct made_directory : index_fixture {
  inode ino = insert(root_inode, "e", {}, directory_side());
  entry sent = row("e");

  void record() {
    writer.run([&](index::transaction& t) { index::apply_pushed_directory(t, sent, directory_side()); });
  }
};

}  // namespace

TEST_CASE("a directory that was renamed while it was made on the source keeps its name there") {
  made_directory f;
  f.writer.run([&](index::transaction& t) { index::apply_rename(t, f.ino, root_inode, "other", 1); });
  f.record();
  CHECK(f.readers.borrow()->source_path(f.ino) == "e");
  f.list_source({named("e", directory_side())});
  CHECK(f.names_in(root_inode) == strings{"other"});
  CHECK(f.row("other").source);
}

TEST_CASE("a directory that was deleted while it was made on the source does not come back") {
  made_directory f;
  f.writer.run([&](index::transaction& t) { index::apply_removal(t, f.ino, 1); });
  f.record();
  f.list_source({named("e", directory_side())});
  CHECK(f.names_in(root_inode).empty());
}

TEST_CASE("a directory that is made anew stays one after scans, and what was deleted in the old one stays deleted") {
  index_fixture f;
  const inode old = f.insert(root_inode, "e", directory_side(), directory_side());
  const inode picture = f.insert(old, "a.jpg", file_side(10));
  f.writer.run([&](index::transaction& t) {
    index::apply_removal(t, picture, 1);
    index::apply_removal(t, old, 1);
  });
  const inode ino = f.insert(root_inode, "e", {}, directory_side());
  const entry sent = f.row("e");
  f.writer.run([&](index::transaction& t) { index::apply_pushed_directory(t, sent, directory_side()); });
  for (int i = 0; i < 3; ++i) {
    CHECK(f.row("e").ino == ino);
    CHECK(f.row("e").source);
    const auto below = f.list_source({named("e", directory_side())});
    REQUIRE(below.size() == 1);
    CHECK(below[0].ino == ino);
    f.list(index::side::source, ino, "e", {named("a.jpg", file_side(10)), named("b.jpg", file_side(11))});
    CHECK(f.names_in(ino) == strings{"b.jpg"});
    CHECK(f.readers.borrow()->totals().of(state::deleted).files == 1);
  }
}

TEST_CASE("a directory that was made on the source is not waited for") {
  index_fixture f;
  const inode d = f.insert(root_inode, "d", {}, directory_side());
  f.writer.run(
      [&](index::transaction& t) { index::apply_pushed_directory(t, t.by_inode(d).value(), directory_side()); });
  CHECK(f.row("d").state == state::common);
  CHECK_FALSE(f.row("d").never_listed());
}

}  // namespace ferryfs::test
