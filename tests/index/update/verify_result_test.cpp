// The row of a picture after it was read again.
#include "index/update/verify_result.hpp"

#include "index/update/decision.hpp"
#include "index/update/fetch_result.hpp"
#include "tests/catch.hpp"
#include "tests/index/index_fixture.hpp"

namespace ferryfs::test {
namespace {

using index::side;

// A picture that was fetched, and one that is only here.
struct read_again : index_fixture {
  inode common, added;
  read_again() {
    common = insert(root_inode, "a.jpg", file_side(10), file_side(10));
    added = insert(root_inode, "b.jpg", {}, file_side(20));
    for (const inode ino : {common, added}) edit(ino, [&](entry& e) { e.sha256 = "right", e.fetched = ino == common; });
  }
  template <typename Record>
  bool record(Record&& r) {
    return writer.run([&](index::transaction& t) { return r(t); });
  }
  bool spoil(inode ino, std::uint64_t size = 10) {
    return record(
        [&](auto& t) { return index::apply_spoilt_digest(t, ino, file_side(size), "right", "digest differs: x"); });
  }
  void scan() {
    list_source({named("a.jpg", file_side(10))});
    list_destination({named("a.jpg", file_side(10)), named("b.jpg", file_side(20))});
  }
};

}  // namespace

TEST_CASE("other bytes under the same size and time are a conflict, and no scan takes that back") {
  read_again f;
  CHECK(f.spoil(f.common));
  for (int i = 0; i < 2; ++i) {
    CHECK(f.row("a.jpg").state == state::conflict);
    CHECK(f.row("a.jpg").error == "digest differs: x");
    CHECK(f.row("a.jpg").sha256 == "right");
    CHECK(f.readers.borrow()->totals().of(state::conflict).files == 1);
    f.scan();
  }
  SECTION("nor a change of the source's mode or time") {
    f.list_source({named("a.jpg", {S_IFREG | 0600, 10, 2000 * second})});
    CHECK(f.row("a.jpg").state == state::conflict);
  }
  SECTION("but other bytes here do") {
    f.list_destination({named("a.jpg", file_side(10, 3000)), named("b.jpg", file_side(20))});
    CHECK(f.row("a.jpg").state == state::common);
    CHECK(f.row("a.jpg").error.empty());
  }
  SECTION("and the right bytes do") {
    CHECK(f.record([&](auto& t) { return index::apply_sound_digest(t, f.common, file_side(10), "right", false); }));
    CHECK(f.row("a.jpg").state == state::common);
  }
  SECTION("the source's is fetched in its place, however alike they look") {
    CHECK(f.record([&](auto& t) { return index::apply_keep_source(t, f.common); }));
    f.list_source({named("a.jpg", {S_IFREG | 0600, 10, 1000 * second})});
    CHECK(f.row("a.jpg").state == state::missing);
    f.record([&](auto& t) { return index::apply_failed_keep_source(t, f.common), true; });
    CHECK(f.row("a.jpg").state == state::conflict);
    f.scan();
    CHECK(f.row("a.jpg").state == state::conflict);
  }
  SECTION("nor does a fetch of the source's that fails, whatever the source does meanwhile") {
    CHECK(f.record([&](auto& t) { return index::apply_keep_source(t, f.common); }));
    f.record([&](auto& t) { return index::apply_fetch_failure(t, f.common, "a.jpg: bad sector", 7), true; });
    CHECK(f.row("a.jpg").state == state::failed);
    CHECK(f.row("a.jpg").error == "a.jpg: bad sector");
    f.list_source({named("a.jpg", file_side(10, 2000))});
    f.scan();
    CHECK(f.row("a.jpg").state == state::missing);
    CHECK(f.row("a.jpg").reason == reason::spoilt);
  }
  SECTION("what is here is taken as right, whatever digest the source's has") {
    CHECK(f.record([&](auto& t) { return index::apply_keep_destination(t, f.common); }));
    CHECK(f.row("a.jpg").state == state::added);
    CHECK(f.row("a.jpg").sha256.empty());
  }
}

TEST_CASE("where the source's bytes are others by now, ours keep their digest, and only the source's can end it") {
  read_again f;
  const auto sound = [&](bool compared) {
    return f.record([&](auto& t) { return index::apply_sound_digest(t, f.common, file_side(10), "right", compared); });
  };
  CHECK(f.record([&](auto& t) { return index::apply_source_difference(t, f.common, file_side(10), "right"); }));
  CHECK(sound(false));
  f.scan();
  CHECK(f.row("a.jpg").state == state::conflict);
  CHECK(f.row("a.jpg").reason == reason::source_differs);
  CHECK(f.row("a.jpg").sha256 == "right");
  SECTION("the same again") {
    CHECK(sound(true));
    CHECK(f.row("a.jpg").state == state::common);
  }
  SECTION("another picture there") {
    f.list_source({named("a.jpg", file_side(11, 2000))});
    CHECK(f.row("a.jpg").state == state::conflict);
    CHECK(f.row("a.jpg").error.empty());
  }
  SECTION("ours are wrong as well since: theirs are not taken for what ours should be") {
    CHECK(
        f.record([&](auto& t) { return index::apply_spoilt_digest(t, f.common, file_side(10), "theirs", "differs"); }));
    CHECK(f.row("a.jpg").sha256 == "right");
    CHECK_FALSE(is_sound_here(f.row("a.jpg").reason));
  }
  SECTION("ours are kept with their digest") {
    CHECK(f.record([&](auto& t) { return index::apply_keep_destination(t, f.common); }));
    CHECK(f.row("a.jpg").sha256 == "right");
  }
}

TEST_CASE("nothing is entered of a picture that has changed since it was read, or that the source has not") {
  read_again f;
  CHECK_FALSE(f.spoil(f.common, 11));
  CHECK_FALSE(f.spoil(f.added, 20));
  CHECK_FALSE(
      f.record([&](auto& t) { return index::apply_sound_digest(t, f.common, file_side(10, 1), "other", true); }));
  CHECK_FALSE(f.record([&](auto& t) { return index::apply_missing_file(t, f.added, file_side(20), 7); }));
  CHECK(f.row("a.jpg").sha256 == "right");
  CHECK(f.row("b.jpg").state == state::added);
}

TEST_CASE("a picture whose file is gone is a failed gap, due at once") {
  read_again f;
  CHECK(f.record([&](auto& t) { return index::apply_missing_file(t, f.common, file_side(10), 7); }));
  CHECK(f.row("a.jpg").state == state::failed);
  CHECK_FALSE(f.row("a.jpg").local);
  CHECK_FALSE(f.row("a.jpg").error.empty());
  std::size_t due = 0;
  f.readers.borrow()->failures(7, 10, [&](entry&& e) { due += e.ino == f.common ? 1 : 0; });
  CHECK(due == 1);
}

}  // namespace ferryfs::test
