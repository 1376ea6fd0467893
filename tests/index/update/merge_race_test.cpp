#include <future>
#include <map>

#include "index/update/fetch_result.hpp"
#include "index/update/local_change.hpp"
#include "index/update/merge.hpp"
#include "tests/catch.hpp"
#include "tests/index/index_fixture.hpp"

namespace ferryfs::test {
namespace {

using index::side;
using strings = std::vector<std::string>;

// A destination's directory as it is on the disk at the moment, beside listings of it that are older.
struct disk_fixture : index_fixture {
  std::map<std::string, index::directory_entry> disk;
  strings looked;
  index::listing_merge merge{side::destination, root_inode, "", [this](const std::string& name) {
                               looked.push_back(name);
                               const auto at = disk.find(name);
                               return at == disk.end() ? std::nullopt : std::optional(at->second);
                             }};

  void put(const index::directory_entry& l) { disk.insert_or_assign(l.name, l); }
  void batch(const std::vector<index::directory_entry>& names) {
    writer.run([&](index::transaction& t) { merge.batch(t, names); });
  }
  void finish() {
    writer.run([&](index::transaction& t) { merge.finish(t, directory_side(), 0); });
  }
  void arrive(const std::string& name, const file_facts& s) {
    put(named(name, s));
    const inode ino = row(name).ino;
    writer.run([&](index::transaction& t) {
      index::apply_arrival(t, {ino, root_inode, name, s, std::string(32, 'd')});
    });
  }
};

TEST_CASE("what is deleted or renamed between two batches of its directory's listing stays so") {
  index_fixture f;
  f.list_source({named("a.jpg", file_side(10)), named("b.jpg", file_side(20)), named("c.jpg", file_side(30))});
  index::listing_merge merge{side::source, root_inode, ""};
  const auto list = [&](const std::string& name, std::uint64_t size) {
    f.writer.run([&](index::transaction& t) { merge.batch(t, {named(name, file_side(size))}); });
  };
  list("a.jpg", 10);
  f.writer.run([&](index::transaction& t) { index::apply_removal(t, t.child(root_inode, "b.jpg")->ino, 5); });
  f.writer.run([&](index::transaction& t) {
    index::apply_rename(t, t.child(root_inode, "c.jpg")->ino, root_inode, "d.jpg", 5);
  });
  list("b.jpg", 20), list("c.jpg", 30);
  f.writer.run([&](index::transaction& t) {
    CHECK(merge.not_named(t).empty());
    merge.finish_keeping(t, directory_side(), 0);
  });
  CHECK(f.names_in(root_inode) == strings{"a.jpg", "d.jpg"});
}

TEST_CASE("a picture that arrives while its directory is listed here stays here") {
  disk_fixture f;
  f.list_source({named("a.jpg", file_side(10)), named("b.jpg", file_side(20))});
  f.put(named("b.jpg", file_side(20)));
  f.batch({named("b.jpg", file_side(20))});
  f.arrive("a.jpg", file_side(10));
  f.finish();
  CHECK(f.row("a.jpg").state == state::common);
  CHECK(f.row("a.jpg").sha256 == std::string(32, 'd'));
  CHECK(f.row("b.jpg").state == state::common);
}

TEST_CASE("an old listing does not bring back what an outdated copy was before it was replaced") {
  disk_fixture f;
  f.list_source({named("a.jpg", file_side(10, 2000))});
  f.edit(f.row("a.jpg").ino, [](entry& e) { e.local = file_side(9, 1000), e.fetched = true; });
  f.arrive("a.jpg", file_side(10, 2000));
  f.batch({named("a.jpg", file_side(9, 1000))});
  f.finish();
  CHECK(f.row("a.jpg").local == file_side(10, 2000));
  CHECK(f.row("a.jpg").fetched);
  CHECK(f.row("a.jpg").state == state::common);
}

TEST_CASE("what left the disk after it was listed, and what left before, are both gone") {
  disk_fixture f;
  f.list_destination({named("a.jpg", file_side(1)), named("b.jpg", file_side(1)), named("c.jpg", file_side(1))});
  f.put(named("c.jpg", file_side(1)));
  f.batch({named("b.jpg", file_side(2)), named("c.jpg", file_side(1))});  // b was being written, and is gone by now
  f.finish();
  CHECK(f.names_in(root_inode) == strings{"c.jpg"});
}

TEST_CASE("what was deleted after it was listed does not come back") {
  disk_fixture f;
  SECTION("in a directory that was empty") {}
  SECTION("in one that was not") { f.list_destination({named("c.jpg", file_side(1))}); }
  f.put(named("b.jpg", file_side(3)));
  f.batch({named("a.jpg", file_side(1)), named("b.jpg", file_side(2))});
  f.finish();
  CHECK(f.names_in(root_inode) == strings{"b.jpg"});
  CHECK(f.row("b.jpg").local == file_side(3));
}

TEST_CASE("what the listing shows as known costs no second look") {
  disk_fixture f;
  f.list_destination({named("a.jpg", file_side(1)), named("b.jpg", file_side(1))});
  f.batch({named("a.jpg", file_side(1)), named("b.jpg", file_side(1))});
  f.finish();
  CHECK(f.looked.empty());
}

TEST_CASE("a directory that is listed in many batches is merged as one") {
  index_fixture f;
  const auto name = [](int i) { return fmt::format("{:04}.jpg", i); };
  const auto scan = [&](int from, int to) {
    index::listing_merge merge{side::source, root_inode, ""};
    for (int i = from; i < to; i += 7) {
      std::vector<index::directory_entry> names;
      for (int k = i; k < std::min(i + 7, to); ++k) names.push_back(named(name(k), file_side(1)));
      f.writer.run([&](index::transaction& t) { merge.batch(t, names); });
    }
    f.writer.run([&](index::transaction& t) { merge.finish(t, directory_side(), 1000); });
  };
  scan(0, 500);
  CHECK(f.names_in(root_inode).size() == 500);
  const inode kept = f.row(name(300)).ino;
  scan(200, 700);
  const auto names = f.names_in(root_inode);
  CHECK(names.size() == 500);
  CHECK(names.front() == name(200));
  CHECK(names.back() == name(699));
  CHECK(f.row(name(300)).ino == kept);
}

TEST_CASE("names of any bytes are kept as they are, and apart") {
  index_fixture f;
  strings odd{"\x01", "\n", " ", "'; DROP TABLE entry; --", "*", "A", "a", "\xc3\xa9", "e\xcc\x81", "\xff\xfe"};
  odd.emplace_back(255, '\xff');
  std::vector<index::directory_entry> names;
  for (const auto& n : odd) names.push_back(named(n, file_side(1)));
  f.list_source(names);
  auto sorted = odd;
  std::sort(sorted.begin(), sorted.end());
  CHECK(f.names_in(root_inode).size() == odd.size());
  for (const auto& n : odd) CHECK(f.row(n).name == n);
  write_watch watch{f.path};
  f.list_source(names);
  CHECK_FALSE(watch.written());
}

TEST_CASE("a name that a server sends twice stands once, as it was sent last") {
  index_fixture f;
  SECTION("in a directory that was empty") {}
  SECTION("in one that was not") { f.list_source({named("b.jpg", file_side(5))}); }
  f.list_source({named("a.jpg", file_side(1)), named("b.jpg", file_side(5)), named("a.jpg", file_side(2))});
  CHECK(f.names_in(root_inode) == strings{"a.jpg", "b.jpg"});
  CHECK(f.row("a.jpg").source == file_side(2));
  CHECK(f.readers.borrow()->totals().of(state::missing) == index::total{2, 7, 0});
}

TEST_CASE("a picture saved here while its directory is first listed on the source is common, not lost") {
  index_fixture f;
  index::listing_merge merge{side::source, root_inode, ""};
  f.writer.run([&](index::transaction& t) { merge.batch(t, {named("a.jpg", file_side(1))}); });
  f.insert(root_inode, "b.jpg", {}, file_side(2));
  f.insert(root_inode, "c.jpg", {}, file_side(3));
  f.writer.run([&](index::transaction& t) {
    merge.batch(t, {named("b.jpg", file_side(2))});
    merge.finish(t, directory_side(), 1000);
  });
  CHECK(f.row("b.jpg").state == state::common);
  CHECK(f.row("c.jpg").state == state::added);
}

TEST_CASE("a listing that fails together with another job is merged once") {
  index_fixture f;
  f.list_source({named("a.jpg", file_side(1)), named("z.jpg", file_side(1))});
  index::listing_merge merge{side::source, root_inode, ""};
  std::promise<void> open;
  f.writer.post([gate = open.get_future().share()](index::transaction&) { gate.wait(); });
  f.writer.post([&](index::transaction& t) {
    merge.batch(t, {named("a.jpg", file_side(2)), named("b.jpg", file_side(1))});
  });
  f.writer.post([](index::transaction&) { throw std::runtime_error("no"); });
  f.writer.post([&](index::transaction& t) { merge.finish(t, directory_side(), 1000); });
  open.set_value();
  f.writer.run([](index::transaction&) {});
  CHECK(f.names_in(root_inode) == strings{"a.jpg", "b.jpg"});
  CHECK(f.readers.borrow()->totals().of(state::missing) == index::total{2, 3, 0});
}

}  // namespace
}  // namespace ferryfs::test
