// What the index makes of a picture that was sent to the source, whatever happened to it here meanwhile.
#include "index/pushed.hpp"

#include "index/change_here.hpp"
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
    writer.run([&](index::transaction& t) { index::record_pushed(t, {sent, file_side(30), std::string(32, 'x')}); });
  }
  void scan() { list(index::which::source, d, "d", {named("new.jpg", file_side(30))}); }
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
  f.list(index::which::source, f.d, "d", {named("new.jpg", file_side(31, 2000))});
  CHECK(f.row("d/new.jpg").state == state::conflict);
}

TEST_CASE("what was deleted here while it was sent does not come back from the source") {
  sent_picture f;
  f.change([&](auto& t) { index::record_removed(t, f.ino, 1); });
  f.record();
  f.scan();
  CHECK(f.names_in(f.d).empty());
  CHECK(f.row("d/new.jpg").state == state::deleted);
}

TEST_CASE("what was renamed here while it was sent is one picture under two names") {
  sent_picture f;
  f.change([&](auto& t) { index::record_renamed(t, f.ino, f.d, "b.jpg", 1); });
  f.record();
  f.scan();
  CHECK(f.names_in(f.d) == strings{"b.jpg"});
  CHECK(f.row("d/b.jpg").state == state::common);
  CHECK(f.readers.borrow()->source_path(f.ino) == "d/new.jpg");
}

TEST_CASE("what was written to while it was sent is a conflict") {
  sent_picture f;
  f.change([&](auto& t) { index::record_changed(t, f.ino, file_side(40), {}, {}, true, 1); });
  f.record();
  CHECK(f.row("d/new.jpg").state == state::conflict);
  CHECK(f.row("d/new.jpg").sha256.empty());
}

TEST_CASE("a directory that was made on the source is not waited for") {
  index_fixture f;
  const inode d = f.insert(root_inode, "d", {}, directory_side());
  f.writer.run([&](index::transaction& t) { index::record_pushed_directory(t, d, directory_side()); });
  CHECK(f.row("d").state == state::common);
  CHECK_FALSE(f.row("d").never_listed());
}

}  // namespace ferryfs::test
