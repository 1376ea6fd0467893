#include "index/db/counters.hpp"

#include <map>
#include <random>
#include <set>

#include "index/update/fetch_result.hpp"
#include "tests/catch.hpp"
#include "tests/index/index_fixture.hpp"

namespace ferryfs::test {
namespace {

using key = std::pair<std::int64_t, std::int64_t>;
using sums = std::map<key, std::array<std::int64_t, 3>>;

// Two numbers that make the key, then three that are summed up.
sums ask(SQLite::Database& database, const std::string& sql) {
  sums found;
  SQLite::Statement query{database, sql};
  while (query.executeStep())
    found[{query.getColumn(0).getInt64(), query.getColumn(1).getInt64()}] = {
        query.getColumn(2).getInt64(), query.getColumn(3).getInt64(), query.getColumn(4).getInt64()};
  std::erase_if(found, [](const auto& f) { return f.second == std::array<std::int64_t, 3>{}; });
  return found;
}

// The stored counters equal the sums over the rows.
void check_counters(const std::string& path) {
  SQLite::Database database{path, SQLite::OPEN_READONLY};
  const std::string sum =
      "count(*), total(source_size), total(local_size) FROM entry WHERE ino <> 1 AND state NOT IN (12, 13)";
  CHECK(ask(database, "SELECT state, directory, files, source_bytes, local_bytes FROM counter") ==
        ask(database, "SELECT state, directory, " + sum + " GROUP BY state, directory"));
  CHECK(ask(database, "SELECT parent, state, files, source_bytes, local_bytes FROM directory_counter") ==
        ask(database, "SELECT parent, state, " + sum + " AND directory = 0 GROUP BY parent, state"));
  CHECK(ask(database, "SELECT day, state, files, source_bytes, local_bytes FROM day_counter") ==
        ask(database, "SELECT day, state, " + sum + " AND directory = 0 GROUP BY day, state"));
}

// Changes an index at random, in ways that any of its users may.
class dice {
 public:
  dice(index_fixture& f, unsigned seed) : f_(f), random_(seed) {}

  void throw_once() {
    const unsigned what = below(10);
    f_.writer.run([&](index::transaction& t) {
      if (what < 4) return insert(t);
      if (what < 7) return update(t);
      if (what < 8) return erase(t);
      merge(t);
    });
  }
  void throw_and_fail() {
    f_.writer.post([this](index::transaction& t) {
      insert(t), update(t), merge(t);
      throw std::runtime_error("no");
    });
  }

 private:
  unsigned below(unsigned n) { return std::uniform_int_distribution<unsigned>{0, n - 1}(random_); }
  file_facts any_side() {
    const unsigned kind = below(8);
    if (kind == 0) return link_side(below(20));
    return kind == 1 ? directory_side(below(5)) : file_side(below(1000), below(5));
  }
  inode any(index::transaction& t, bool directory) {
    for (int tries = 0; tries < 20; ++tries) {
      const inode ino = 1 + below(60);
      const auto e = t.by_inode(ino);
      if (e && (e->is_directory() || !directory)) return ino;
    }
    return root_inode;
  }
  void shuffle_sides(entry& e) {
    const unsigned sides = 1 + below(3);
    e.source.reset(), e.local.reset();
    if (sides & 1) e.source = any_side();
    if (sides & 2) e.local = any_side();
    e.state = all_states[below(static_cast<unsigned>(all_states.size()))];
    e.state = classify(e);
  }
  void insert(index::transaction& t) {
    entry e;
    e.parent = any(t, true);
    e.name = std::to_string(below(30));
    shuffle_sides(e);
    t.insert(e);
  }
  void update(index::transaction& t) {
    const inode ino = any(t, false);
    if (ino == root_inode) return;
    const entry before = t.by_inode(ino).value();
    entry after = before;
    if (below(3) == 0 && !before.is_directory()) {
      after.parent = any(t, true);
      after.name = "moved " + std::to_string(ino);
    } else {
      shuffle_sides(after);
    }
    const auto other =
        is_hidden(after.state) ? t.hidden_child(after.parent, after.name) : t.child(after.parent, after.name);
    if (!other || other->ino == ino) t.update(before, after);
  }
  void erase(index::transaction& t) {
    const inode ino = any(t, false);
    const auto e = t.by_inode(ino);
    if (ino != root_inode && e && !e->is_directory()) t.erase(*e);
  }
  void merge(index::transaction& t) {
    const auto w = below(2) == 0 ? index::side::source : index::side::destination;
    index::listing_merge listing{w, any(t, true), ""};
    for (unsigned batches = below(3); batches > 0; --batches) {
      std::vector<index::directory_entry> names;
      for (unsigned i = below(12); i > 0; --i) names.push_back(named(std::to_string(below(30)), any_side()));
      listing.batch(t, names);
    }
    if (below(3) != 0) listing.finish(t, directory_side(below(5)), 1);
  }

  index_fixture& f_;
  std::mt19937 random_;
};

TEST_CASE("totals are what the rows add up to, whatever happens to them") {
  for (const unsigned seed : {1U, 2U, 3U}) {
    CAPTURE(seed);
    index_fixture f;
    dice d{f, seed};
    for (int round = 0; round < 15; ++round) {
      for (int i = 0; i < 20; ++i) d.throw_once();
      if (round % 4 == 0) d.throw_and_fail();
      f.writer.run([](index::transaction&) {});
      check_counters(f.path);
    }
    REQUIRE(f.readers.borrow()->totals().destination().files > 0);
  }
}

TEST_CASE("a directory's totals count its own pictures, and nothing below") {
  index_fixture f;
  const inode d = f.insert(root_inode, "d", directory_side());
  f.insert(root_inode, "above.jpg", file_side(1));
  f.insert(d, "a.jpg", file_side(2));
  f.insert(d, "b.jpg", file_side(4), file_side(4));
  f.insert(f.insert(d, "sub", directory_side()), "below.jpg", file_side(8));
  const auto totals = f.readers.borrow()->totals(d);
  CHECK(totals.of(state::missing) == index::total{1, 2, 0});
  CHECK(totals.of(state::common) == index::total{1, 4, 4});
  CHECK(totals.source() == index::total{2, 6, 4});
  CHECK(f.readers.borrow()->totals(999).source() == index::total{});
}

TEST_CASE("an index from before days were counted counts them when it is brought up") {
  index_fixture f;
  f.insert(root_inode, "20130715.jpg", file_side(5));
  f.insert(root_inode, "other", file_side(6), file_side(6));
  const auto days = f.readers.borrow()->days();
  REQUIRE(days.size() == 1);
  CHECK(days[0].day == 20130715);
  CHECK(days[0].sums.of(state::missing) == index::total{1, 5, 0});
  const std::string copy = (f.dir / "old.db").string();
  {
    SQLite::Database database{f.path, SQLite::OPEN_READWRITE};
    database.exec("VACUUM INTO '" + copy + "'");
    SQLite::Database old{copy, SQLite::OPEN_READWRITE};
    old.exec(
        "DROP TABLE lost; DROP TABLE name_change; DROP TABLE decision; DROP TABLE day_counter; DROP TABLE unlisted; "
        "DROP TABLE "
        "accepted_link; DROP TABLE refused_name; DROP INDEX entry_unlisted; PRAGMA user_version = 2");
    old.exec(
        "ALTER TABLE entry DROP COLUMN reason; ALTER TABLE entry DROP COLUMN local_holes; ALTER "
        "TABLE entry DROP COLUMN compared");
  }
  const index::writer brought_up{copy};
  const auto again = index::reader{copy}.days();
  REQUIRE(again.size() == 1);
  CHECK(again[0].sums.files == days[0].sums.files);
}

TEST_CASE("the source's and the destination's totals add up from the sets") {
  index_fixture f;
  std::int64_t size = 1;
  for (const state s : all_states) {
    entry e;
    e.parent = root_inode, e.name = name_of(s), e.state = s;
    if (s != state::added) e.source = file_side(static_cast<std::uint64_t>(size));
    if (s == state::common || s == state::added || s == state::conflict) e.local = file_side(100);
    f.insert(e);
    size *= 2;
  }
  const auto totals = f.readers.borrow()->totals();
  CHECK(totals.source() == index::total{7, 1 + 2 + 8 + 16 + 32 + 64 + 128, 200});
  CHECK(totals.destination() == index::total{3, 1 + 8, 300});
}

TEST_CASE(
    "an archive is complete when nothing is missing, failed, in conflict or refused, and skipped gaps do not count") {
  index_fixture f;
  const auto complete = [&] { return f.readers.borrow()->totals().complete(); };
  CHECK(complete());
  const inode picture = f.insert(root_inode, "a.jpg", file_side(1));
  for (const state s : all_states) {
    f.edit(picture, [&](entry& e) { e.state = s, e.local = file_side(1); });
    CHECK(complete() == (s != state::missing && s != state::failed && s != state::conflict && s != state::refused));
  }
  f.edit(picture, [](entry& e) { e.state = state::common; });
  CHECK(complete());
  f.insert(root_inode, "d", directory_side());
  CHECK_FALSE(complete());
}

}  // namespace
}  // namespace ferryfs::test
