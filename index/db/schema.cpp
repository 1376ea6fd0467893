#include "index/db/schema.hpp"

#include <SQLiteCpp/Transaction.h>
#include <fmt/format.h>

#include <array>

#include "index/base/error.hpp"
#include "index/db/database.hpp"

namespace ferryfs::index {
namespace {

// Step N brings version N to N + 1. States (see index/model/entry.hpp) stand as numbers in the partial indexes.
constexpr std::array<const char*, schema_version> steps{R"(
CREATE TABLE entry (
  ino INTEGER PRIMARY KEY AUTOINCREMENT,
  parent INTEGER NOT NULL,
  name BLOB NOT NULL,
  directory INTEGER NOT NULL,
  state INTEGER NOT NULL,
  day INTEGER NOT NULL,
  source_mode INTEGER, source_size INTEGER, source_mtime INTEGER,
  local_mode INTEGER, local_size INTEGER, local_mtime INTEGER,
  uid INTEGER, gid INTEGER,
  fetched INTEGER NOT NULL,
  target BLOB,
  sha256 BLOB,
  listed INTEGER,
  attempts INTEGER NOT NULL, retry_at INTEGER, error TEXT
) STRICT;
CREATE UNIQUE INDEX entry_name ON entry(parent, name);
CREATE INDEX entry_directory ON entry(parent, name) WHERE directory = 1;
CREATE INDEX entry_gap ON entry(day DESC, ino) WHERE state = 2;
CREATE INDEX entry_failed ON entry(retry_at) WHERE state = 7;
CREATE INDEX entry_rare ON entry(state, parent, name) WHERE state > 2;
CREATE TABLE counter (
  state INTEGER NOT NULL,
  directory INTEGER NOT NULL,
  files INTEGER NOT NULL,
  source_bytes INTEGER NOT NULL,
  local_bytes INTEGER NOT NULL,
  PRIMARY KEY (state, directory)
) STRICT, WITHOUT ROWID;
CREATE TABLE directory_counter (
  parent INTEGER NOT NULL,
  state INTEGER NOT NULL,
  files INTEGER NOT NULL,
  source_bytes INTEGER NOT NULL,
  local_bytes INTEGER NOT NULL,
  PRIMARY KEY (parent, state)
) STRICT, WITHOUT ROWID;
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
)",
                                                        // A name may stand twice: in the view, and hidden.
                                                        R"(
ALTER TABLE entry ADD COLUMN hidden INTEGER NOT NULL DEFAULT 0;
ALTER TABLE entry ADD COLUMN origin INTEGER;
ALTER TABLE entry ADD COLUMN set_mode INTEGER;
ALTER TABLE entry ADD COLUMN set_mtime INTEGER;
ALTER TABLE entry ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
UPDATE entry SET hidden = 1 WHERE state = 5;
DROP INDEX entry_name;
DROP INDEX entry_directory;
CREATE UNIQUE INDEX entry_name ON entry(parent, hidden, name);
CREATE INDEX entry_directory ON entry(parent, hidden, name) WHERE directory = 1;
CREATE INDEX entry_origin ON entry(origin) WHERE origin IS NOT NULL;
)",
                                                        R"(
CREATE TABLE lost (
  path BLOB PRIMARY KEY, size INTEGER NOT NULL, mtime INTEGER NOT NULL, noticed INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE day_counter (
  day INTEGER NOT NULL,
  state INTEGER NOT NULL,
  files INTEGER NOT NULL,
  source_bytes INTEGER NOT NULL,
  local_bytes INTEGER NOT NULL,
  PRIMARY KEY (day, state)
) STRICT, WITHOUT ROWID;
INSERT INTO day_counter
  SELECT day, CASE state WHEN 9 THEN 4 ELSE state END AS counted, count(*), coalesce(sum(source_size), 0),
         coalesce(sum(local_size), 0)
  FROM entry WHERE directory = 0 AND state <> 8 GROUP BY day, counted;
CREATE TABLE renaming (
  ino INTEGER PRIMARY KEY, parent INTEGER NOT NULL, name BLOB NOT NULL, exchanged INTEGER NOT NULL, file INTEGER NOT NULL
) STRICT;
)",
                                                        R"(
-- Until then the text of `error` was the reason; the numbers are those of index/model/reason.hpp.
ALTER TABLE entry ADD COLUMN reason INTEGER NOT NULL DEFAULT 0;
UPDATE entry SET reason = CASE
    WHEN error = 'its file is gone from the destination' THEN 2
    WHEN error = 'written here since it was the source''s' THEN 3
    WHEN error = 'the source has other bytes by now; ours are as they were' THEN 4
    WHEN local_mode IS NOT NULL AND (state <> 7 OR (local_size = source_size AND
      local_mtime / 1000000000 = source_mtime / 1000000000)) THEN 5
    ELSE 1 END
  WHERE error IS NOT NULL AND error <> '';
-- The first programs of version 3 lacked these tables, and its step counted what is overruled by itself.
CREATE TABLE IF NOT EXISTS renaming (
  ino INTEGER PRIMARY KEY, parent INTEGER NOT NULL, name BLOB NOT NULL, exchanged INTEGER NOT NULL, file INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS day_counter (
  day INTEGER NOT NULL,
  state INTEGER NOT NULL,
  files INTEGER NOT NULL,
  source_bytes INTEGER NOT NULL,
  local_bytes INTEGER NOT NULL,
  PRIMARY KEY (day, state)
) STRICT, WITHOUT ROWID;
DELETE FROM day_counter;
INSERT INTO day_counter
  SELECT day, CASE state WHEN 9 THEN 4 WHEN 10 THEN 5 ELSE state END AS counted, count(*),
         coalesce(sum(source_size), 0), coalesce(sum(local_size), 0)
  FROM entry WHERE directory = 0 AND state <> 8 GROUP BY day, counted;
)",
                                                        // So that a sparse file shows the blocks that it has.
                                                        R"(
ALTER TABLE entry ADD COLUMN local_holes INTEGER;
)",
                                                        // A power cut may take a change of names from the disk alone,
                                                        // or from the index alone.
                                                        R"(
CREATE TABLE name_change (
  id INTEGER PRIMARY KEY,
  ino INTEGER NOT NULL, parent INTEGER NOT NULL, name BLOB NOT NULL, exchanged INTEGER NOT NULL, file INTEGER NOT NULL,
  old_parent INTEGER NOT NULL, old_path BLOB NOT NULL, new_path BLOB NOT NULL, replaced INTEGER NOT NULL,
  done INTEGER NOT NULL
) STRICT;
CREATE INDEX name_change_ino ON name_change(ino);
INSERT INTO name_change (ino, parent, name, exchanged, file, old_parent, old_path, new_path, replaced, done)
  SELECT ino, parent, name, exchanged, file, 0, X'', X'', 0, 0 FROM renaming;
DROP TABLE renaming;
CREATE TABLE decision (id INTEGER PRIMARY KEY, line BLOB NOT NULL) STRICT;
)",
                                                        R"(
ALTER TABLE entry ADD COLUMN compared INTEGER;
-- Its digest was taken of the source's bytes, as they came.
UPDATE entry SET compared = source_mtime WHERE state = 1 AND fetched = 1 AND sha256 IS NOT NULL;
DELETE FROM meta WHERE key IN ('arrivals', 'verified', 'verified_source');
-- Directories of the source that could not be listed.
CREATE TABLE unlisted (
  ino INTEGER PRIMARY KEY, denied INTEGER NOT NULL, error TEXT NOT NULL, accepted INTEGER NOT NULL
) STRICT;
CREATE INDEX entry_unlisted ON entry(ino)
  WHERE directory = 1 AND hidden = 0 AND source_mode IS NOT NULL AND listed IS NULL;
-- Symbolic links of the source, found without reading another row, and those that the operator took over.
CREATE INDEX IF NOT EXISTS entry_link ON entry(ino) WHERE target IS NOT NULL;
CREATE TABLE IF NOT EXISTS accepted_link (ino INTEGER PRIMARY KEY, target BLOB NOT NULL) STRICT;
-- Names of the source that can't stand here.
CREATE TABLE refused_name (
  directory INTEGER NOT NULL, name BLOB NOT NULL, reason TEXT NOT NULL,
  listed INTEGER NOT NULL, skipped INTEGER NOT NULL,
  PRIMARY KEY (directory, name)
) STRICT, WITHOUT ROWID;
)",
                                                        // Of a failure one more reason: `changing`.
                                                        ""};

int version_of(SQLite::Database& database) { return database.execAndGet("PRAGMA user_version").getInt(); }

}  // namespace

void refuse_newer(SQLite::Database& database) {
  const int version = version_of(database);
  if (version <= schema_version) return;
  throw error(exit_code::local,
              fmt::format("{}: the index is of version {}, this ferryfs knows {}; use the newer ferryfs that wrote it",
                          database.getFilename(), version, schema_version));
}

void migrate(SQLite::Database& database) {
  refuse_newer(database);
  int version = version_of(database);
  database.exec("PRAGMA journal_mode = WAL");  // kept in the file; readers go on beside the writer
  for (; version < schema_version; ++version) {
    SQLite::Transaction step{database};
    database.exec(steps[static_cast<std::size_t>(version)]);
    database.exec(fmt::format("PRAGMA user_version = {}", version + 1));
    step.commit();
  }
}

void require_current(SQLite::Database& database) {
  refuse_newer(database);
  const int version = version_of(database);
  if (version < schema_version)
    throw error(exit_code::local,
                fmt::format("{}: the index is of the older version {}; mount or scan the archive once",
                            database.getFilename(), version));
}

bool is_blank(const std::string& path) {
  auto database = open_database(path, access::read_only);
  return version_of(database) == 0 && database.execAndGet("SELECT count(*) FROM sqlite_schema").getInt() == 0;
}

}  // namespace ferryfs::index
