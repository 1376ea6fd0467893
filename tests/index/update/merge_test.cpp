#include "index/update/merge.hpp"
#include "index/update/verify_result.hpp"

#include "tests/catch.hpp"
#include "tests/index/index_fixture.hpp"

namespace ferryfs::test {
namespace {

using index::side;

TEST_CASE("the first listing of the source makes its pictures gaps and names the directories to list next") {
  index_fixture f;
  const auto next =
      f.list_source({named("20130715.jpg", file_side(10, 1100)), named("20130715", directory_side(1200)),
                     named("latest", link_side(), "target"), named("old.jpg", file_side(20, 1'373'868'600))},
                    1300);
  REQUIRE(next.size() == 1);
  CHECK(next[0].path == "20130715");
  CHECK(next[0].ino == f.row("20130715").ino);
  CHECK(next[0].attributes == directory_side(1200));

  const entry picture = f.row("20130715.jpg");
  CHECK(picture.state == state::missing);
  CHECK(picture.source == file_side(10, 1100));
  CHECK_FALSE(picture.local);
  CHECK(picture.day == 20130715);
  CHECK(f.row("old.jpg").day == 20130715);
  CHECK(f.row("latest").target == "target");
  CHECK(f.row("").listed_mtime == 1300);
  CHECK_FALSE(f.row("20130715").listed_mtime);
}

TEST_CASE("a subdirectory's pictures stand below it, with the day of their path") {
  index_fixture f;
  const auto next = f.list_source({named("20130715", directory_side())});
  f.list(side::source, next.at(0).ino, next.at(0).path,
         {named("noon.jpg", file_side(1)), named("a", directory_side())});
  CHECK(f.row("20130715/noon.jpg").day == 20130715);
  CHECK(f.row("20130715/noon.jpg").parent == f.row("20130715").ino);
  CHECK(f.row("20130715").listed_mtime == 1000);
}

TEST_CASE("the first listing of the destination makes its pictures new, with their owners") {
  index_fixture f;
  auto strange = named("strange.jpg", file_side(10));
  strange.uid = 1234, strange.gid = 5678;
  f.list_destination({named("mine.jpg", file_side(10)), strange});
  CHECK(f.row("mine.jpg").state == state::added);
  CHECK(f.row("mine.jpg").uid == std::nullopt);
  CHECK(f.row("strange.jpg").uid == 1234U);
  CHECK(f.row("strange.jpg").gid == 5678U);
}

TEST_CASE("what both sides list is common, in either order") {
  index_fixture f;
  const std::vector<index::directory_entry> names{named("a.jpg", file_side(10)), named("d", directory_side()),
                                                  named("l", link_side(), "target")};
  SECTION("source first") { f.list_source(names), f.list_destination(names); }
  SECTION("destination first") { f.list_destination(names), f.list_source(names); }
  for (const char* name : {"a.jpg", "d", "l"}) CHECK(f.row(name).state == state::common);
  CHECK(f.readers.borrow()->totals().of(state::common) == index::total{2, 16, 16});
}

TEST_CASE("what both sides list with different content is a conflict, and both are known") {
  index_fixture f;
  f.list_source({named("a.jpg", file_side(10)), named("x", file_side(5))});
  f.list_destination({named("a.jpg", file_side(11)), named("x", directory_side())});
  CHECK(f.row("a.jpg").state == state::conflict);
  CHECK(f.row("a.jpg").source == file_side(10));
  CHECK(f.row("a.jpg").local == file_side(11));
  CHECK(f.row("x").state == state::conflict);
}

TEST_CASE("a listing that shows nothing new writes nothing") {
  index_fixture f;
  const std::vector<index::directory_entry> source{named("a.jpg", file_side(10)), named("d", directory_side(5)),
                                                   named("l", link_side(), "target"), named("gap.jpg", file_side(7))};
  const std::vector<index::directory_entry> local{named("a.jpg", file_side(10)), named("d", directory_side(99)),
                                                  named("l", link_side(), "target"), named("new.jpg", file_side(8))};
  f.list_source(source);
  f.list_destination(local);
  write_watch watch{f.path};
  f.list_source(source);
  f.list_destination(local);
  CHECK_FALSE(watch.written());
  f.list_source({named("a.jpg", file_side(10, 1001)), source[1], source[2], source[3]});
  CHECK(watch.written());
}

TEST_CASE("a picture that grows on the source is a gap of its new size, under the same inode") {
  index_fixture f;
  f.list_source({named("a.jpg", file_side(10, 1000))});
  const inode ino = f.row("a.jpg").ino;
  f.list_source({named("a.jpg", file_side(20, 1100))});
  CHECK(f.row("a.jpg").source == file_side(20, 1100));
  CHECK(f.row("a.jpg").state == state::missing);
  CHECK(f.row("a.jpg").ino == ino);
}

TEST_CASE("a picture that changes on the source after it was fetched becomes a gap again") {
  index_fixture f;
  f.list_source({named("a.jpg", file_side(10, 1000))});
  f.edit(f.row("a.jpg").ino,
         [](entry& e) { e.local = file_side(10, 1000), e.fetched = true, e.state = state::common; });
  f.list_source({named("a.jpg", file_side(10, 1100))});
  CHECK(f.row("a.jpg").state == state::missing);
  CHECK(f.row("a.jpg").local == file_side(10, 1000));
}

TEST_CASE("a fetched picture that is open for writing when it changes on the source is a conflict, not a gap") {
  index_fixture f;
  f.list_source({named("a.jpg", file_side(10, 1000)), named("b.jpg", file_side(10, 1000))});
  for (const char* name : {"a.jpg", "b.jpg"})
    f.edit(f.row(name).ino, [](entry& e) { e.local = file_side(10, 1000), e.fetched = true, e.state = state::common; });
  f.writer.set_written_query([ino = f.row("a.jpg").ino](inode asked) { return asked == ino; });
  for (const auto& now : {file_side(12, 1100), file_side(10, 1200)}) {
    f.list_source({named("a.jpg", now), named("b.jpg", now)});
    CHECK(f.row("a.jpg").state == state::conflict);
    CHECK(f.row("a.jpg").source == now);
    CHECK(f.row("a.jpg").shown() == file_side(10, 1000));
    CHECK(f.row("b.jpg").state == state::missing);
  }
}

TEST_CASE("a fetched picture that is overwritten on the destination is somebody's own, and loses its digest") {
  index_fixture f;
  f.list_source({named("a.jpg", file_side(10, 1000))});
  f.edit(f.row("a.jpg").ino, [](entry& e) {
    e.local = file_side(10, 1000), e.fetched = true, e.sha256 = std::string(32, 'x'), e.state = state::common;
  });
  f.list_destination({named("a.jpg", file_side(12, 1000))});
  CHECK(f.row("a.jpg").state == state::conflict);
  CHECK_FALSE(f.row("a.jpg").fetched);
  CHECK(f.row("a.jpg").sha256.empty());
}

TEST_CASE("a failed picture that changes on the source is tried again as if it had never failed") {
  index_fixture f;
  f.list_source({named("a.jpg", file_side(10))});
  f.edit(f.row("a.jpg").ino,
         [](entry& e) { e.state = state::failed, e.attempts = 3, e.retry_at = 99, e.error = "bad sector"; });
  f.list_source({named("a.jpg", file_side(10))});
  CHECK(f.row("a.jpg").state == state::failed);
  f.list_source({named("a.jpg", file_side(11))});
  const entry now = f.row("a.jpg");
  CHECK(now.state == state::missing);
  CHECK(now.attempts == 0);
  CHECK(now.retry_at == 0);
  CHECK(now.error.empty());
}

TEST_CASE("what was deleted or skipped stays so however often the source lists it") {
  index_fixture f;
  for (const state decided : {state::deleted, state::skipped}) {
    f.list_source({named("a.jpg", file_side(10))});
    f.edit(f.row("a.jpg").ino, [&](entry& e) { e.state = decided; });
    f.list_source({named("a.jpg", file_side(11))});
    CHECK(f.row("a.jpg").state == decided);
  }
}

TEST_CASE("a symbolic link that points elsewhere is seen, even with the same size and time") {
  index_fixture f;
  f.list_source({named("latest", link_side(), "target")});
  f.list_source({named("latest", link_side(), "tegrat")});
  CHECK(f.row("latest").target == "tegrat");
}

TEST_CASE("a directory's size and time are the source's, whatever arrives in ours") {
  index_fixture f;
  f.list_destination({named("d", directory_side(77))});
  f.list_source({named("d", directory_side(5))});
  f.list(side::source, f.row("d").ino, "d", {}, 6);
  f.list_destination({named("d", directory_side(88))});
  CHECK(f.row("d").shown().mtime == 6 * second);
}

}  // namespace
TEST_CASE("a picture of both sides is compared as long as both stand as they did when their digests were taken") {
  index_fixture f;
  f.list_source({named("a.jpg", file_side(10))});
  f.list_destination({named("a.jpg", file_side(10, 3000))});
  CHECK_FALSE(f.row("a.jpg").is_compared());
  const auto compare = [&] {
    f.writer.run([&](index::transaction& t) {
      const entry e = t.by_inode(f.row("a.jpg").ino).value();
      CHECK(index::apply_sound_digest(t, e.ino, *e.local, std::string(32, 'd'), true));
    });
    return f.row("a.jpg").is_compared();
  };
  CHECK(compare());
  SECTION("another time there") { f.list_source({named("a.jpg", file_side(10, 4000))}); }
  SECTION("another time here") { f.list_destination({named("a.jpg", file_side(10, 4000))}); }
  CHECK(f.row("a.jpg").state == state::common);
  CHECK_FALSE(f.row("a.jpg").is_compared());
  CHECK(compare());
}

TEST_CASE("a fetched picture of which only the source's time changed is served until its digest decides") {
  index_fixture f;
  f.insert(root_inode, "a.jpg", file_side(10), file_side(10));
  const inode ino = f.row("a.jpg").ino;
  f.edit(ino, [](entry& e) { e.fetched = true, e.sha256 = std::string(32, 'd'); });
  f.list_source({named("a.jpg", file_side(10, 4000))});
  CHECK(f.row("a.jpg").state == state::missing);
  CHECK(f.row("a.jpg").is_local());
  CHECK(f.row("a.jpg").shown() == file_side(10));
  SECTION("the same bytes") {
    f.writer.run([&](index::transaction& t) {
      CHECK(index::apply_same_bytes(t, ino, file_side(10), file_side(10, 4000), file_side(10, 4000)));
    });
    CHECK(f.row("a.jpg").is_compared());
  }
  SECTION("other bytes") {
    f.writer.run([&](index::transaction& t) { CHECK(index::apply_other_bytes(t, ino, file_side(10, 4000))); });
    CHECK(f.row("a.jpg").is_gap());
  }
  SECTION("another size then") {
    f.list_source({named("a.jpg", file_side(11, 5000))});
    CHECK(f.row("a.jpg").is_gap());
  }
  SECTION("its time as it was") {
    f.list_source({named("a.jpg", file_side(10))});
    CHECK(f.row("a.jpg").state == state::common);
  }
}

TEST_CASE(
    "a size or time that the source does not tell is the one that was learnt; another time tells of another picture") {
  index_fixture f;
  const inode ino = f.insert(root_inode, "a.jpg", file_side(10), file_side(10));
  const inode gone = f.insert(root_inode, "b.jpg", file_side(20));
  f.edit(gone, [](entry& e) { e.state = state::deleted; });
  file_facts untimed = file_side(0);
  untimed.mtime = 0;
  for (const file_facts& reported : {file_side(0), untimed}) {
    f.list_source({named("a.jpg", reported), named("b.jpg", reported)});
    CHECK(f.row("a.jpg").source == file_side(10));
    CHECK(f.row("a.jpg").state == state::common);
    CHECK(f.row("b.jpg").source == file_side(20));
    CHECK(f.row("b.jpg").state == state::deleted);
  }
  CHECK(f.row("a.jpg").ino == ino);
  f.list_source({named("a.jpg", file_side(0, 2000)), named("b.jpg", file_side(20))});
  CHECK(f.row("a.jpg").source == file_side(0, 2000));
}

}  // namespace ferryfs::test
