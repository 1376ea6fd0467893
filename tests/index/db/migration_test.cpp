// Indexes as the programs before this one made them (tests/index/schema/, one file a version), brought up to this one.
#include <fmt/format.h>

#include <filesystem>

#include "index/base/error.hpp"
#include "index/db/schema.hpp"
#include "index/update/decision.hpp"
#include "tests/catch.hpp"
#include "tests/doubles/files.hpp"
#include "tests/index/index_fixture.hpp"

namespace ferryfs::test {
namespace {

const std::filesystem::path schemas = FERRYFS_SOURCE_DIR "/tests/index/schema";

struct old_index {
  explicit old_index(const std::string& name) {
    SQLite::Database database{path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE};
    database.exec(read_file(schemas / (name + ".sql")));
  }
  temp_dir dir{"index"};
  std::string path = (dir / "index.db").string();

  entry row(const std::string& name, bool hidden = false) {
    index::reader r{path};
    return (hidden ? r.hidden_child : r.child)(2, name).value();
  }
  // Both sides are as the index has them.
  void scan(index::writer& writer) {
    for (const auto w : {index::side::source, index::side::destination}) {
      std::vector<index::directory_entry> names;
      index::reader r{path};
      for (const bool hidden : {false, true})
        (hidden ? r.hidden_children : r.children)(2, "", [&](entry&& e) {
          const auto& s = w == index::side::source ? e.source : e.local;
          if (s && (hidden || w == index::side::destination || !e.origin)) names.push_back(named(e.name, *s));
          return true;
        });
      index::listing_merge merge{w, 2, "d"};
      writer.run([&](index::transaction& t) {
        merge.batch(t, names);
        merge.finish(t, directory_side(), 1000);
      });
    }
  }
};

using numbers = std::vector<std::vector<std::int64_t>>;
numbers ask(const std::string& path, const std::string& sql) {
  SQLite::Database database{path, SQLite::OPEN_READONLY};
  SQLite::Statement query{database, sql};
  numbers rows;
  while (query.executeStep()) {
    rows.emplace_back();
    for (int i = 0; i < query.getColumnCount(); ++i) rows.back().push_back(query.getColumn(i).getInt64());
  }
  return rows;
}

const std::string counted =
    "CASE state WHEN 9 THEN 4 WHEN 10 THEN 5 ELSE state END AS counted, count(*), coalesce(sum(source_size), 0), "
    "coalesce(sum(local_size), 0) FROM entry WHERE directory = 0 AND state <> 8 GROUP BY ";

}  // namespace

TEST_CASE("an index of every earlier version is kept here") {
  for (int version = 1; version < index::schema_version; ++version)
    CHECK(std::filesystem::exists(schemas / fmt::format("version-{}.sql", version)));
}

TEST_CASE("an index of an earlier version is read after it was brought up, and not before") {
  for (const char* name :
       {"version-1", "version-2", "version-3-first", "version-3", "version-4", "version-5", "version-6", "version-7"}) {
    CAPTURE(name);
    old_index old{name};
    CHECK_THROWS_AS(index::reader{old.path}, error);
    {
      index::writer writer{old.path};
      for (int scans = 0; scans < 2; ++scans) {
        CHECK(old.row("common.jpg").state == state::common);
        CHECK(old.row("common.jpg").sha256 == std::string(32, 'c'));
        CHECK(old.row("common.jpg").reason == reason::none);
        CHECK(old.row("missing.jpg").state == state::missing);
        CHECK(old.row("new.jpg").state == state::added);
        CHECK(old.row("conflict.jpg").state == state::conflict);
        CHECK(old.row("conflict.jpg").reason == reason::none);
        CHECK(old.row("deleted.jpg", true).state == state::deleted);
        CHECK(old.row("skipped.jpg").state == state::skipped);
        CHECK(old.row("failed.jpg").state == state::failed);
        CHECK(old.row("failed.jpg").attempts == 3);
        CHECK(old.row("failed.jpg").error == "d/failed.jpg: bad sector");
        CHECK(old.row("failed.jpg").reason == reason::fetch_failed);
        CHECK(
            ask(old.path, "SELECT day, state, files, source_bytes, local_bytes FROM day_counter ORDER BY day, state") ==
            ask(old.path, "SELECT day, " + counted + "day, counted ORDER BY day, counted"));
        old.scan(writer);
      }
      // A later program's writes need every table that it has.
      writer.run([](index::transaction& t) {
        t.add_lost({"d/other.jpg", 1, 1, 1});
        t.intend_rename({3, 2, "x.jpg", 0, 1});
        t.forget_rename(3);
      });
    }
    CHECK(ask(old.path, "PRAGMA user_version") == numbers{{index::schema_version}});
    index::writer again{old.path};
    entry e;
    e.parent = 2, e.name = "z.jpg", e.source = file_side(1), e.day = 20130715;
    CHECK(again.run([&](index::transaction& t) { return t.insert(e); }) > 9);
  }
}

TEST_CASE("what was renamed, hidden, lost or set before its bytes came is so after the index was brought up") {
  for (const char* name :
       {"version-2", "version-3-first", "version-3", "version-4", "version-5", "version-6", "version-7"}) {
    CAPTURE(name);
    old_index old{name};
    index::writer writer{old.path};
    for (int scans = 0; scans < 2; ++scans) {
      const entry renamed = old.row("renamed.jpg");
      CHECK(renamed.origin == 10);
      CHECK(renamed.set_mode == 0600);
      CHECK(renamed.set_mtime == 77 * second);
      CHECK(index::reader{old.path}.source_path(renamed.ino) == "d/old-name.jpg");
      CHECK(old.row("new.jpg", true).state == state::shadowed);
      old.scan(writer);
    }
    if (std::string(name) != "version-2") CHECK(index::reader{old.path}.lost_totals().files == 1);
  }
}

TEST_CASE("the texts that told why a row stands as it does have become reasons, and mean the same") {
  old_index old{"version-3"};
  index::writer writer{old.path};
  const auto check = [&](const char* name, state s, reason r, const char* text) {
    CAPTURE(name);
    CHECK(old.row(name).state == s);
    CHECK(old.row(name).reason == r);
    CHECK(old.row(name).error == text);
  };
  for (int scans = 0; scans < 2; ++scans) {
    check("gone.jpg", state::failed, reason::gone_here, "its file is gone from the destination");
    check("written.jpg", state::conflict, reason::written_here, "written here since it was the source's");
    check("differs.jpg", state::conflict, reason::source_differs,
          "the source has other bytes by now; ours are as they were");
    check("spoilt.jpg", state::conflict, reason::spoilt, "digest differs: aa here, bb as it should be");
    check("kept-source.jpg", state::missing, reason::spoilt, "digest differs: aa here, bb on the source");
    check("kept-source-failed.jpg", state::failed, reason::spoilt, "d/kept-source-failed.jpg: bad sector");
    check("outdated-failed.jpg", state::failed, reason::fetch_failed, "d/outdated-failed.jpg: bad sector");
    CHECK(old.row("overruled.jpg", true).state == state::kept_local);
    old.scan(writer);
  }
  CHECK(writer.run([](index::transaction& t) { return t.renaming(); }).size() == 1);
}

TEST_CASE("the reason decides, whatever the text says") {
  index_fixture f;
  const inode picture = f.insert(root_inode, "a.jpg", file_side(10), file_side(10));
  const auto scan = [&] {
    f.list_source({named("a.jpg", file_side(10))});
    f.list_destination({named("a.jpg", file_side(10))});
    return f.row("a.jpg").state;
  };
  f.edit(picture, [](entry& e) { e.state = state::conflict, e.error = text_of(reason::written_here); });
  f.list_source({named("a.jpg", file_side(10, 2000))});
  CHECK(f.row("a.jpg").state == state::common);
  for (const reason r : {reason::written_here, reason::source_differs, reason::spoilt}) {
    f.edit(picture, [&](entry& e) { e.state = state::conflict, e.set_reason(r, "whatever"); });
    CHECK(scan() == state::conflict);
    f.edit(picture, [&](entry& e) { e.state = state::conflict, e.set_reason(r, ""); });
    CHECK(scan() == state::conflict);
  }
}

}  // namespace ferryfs::test
