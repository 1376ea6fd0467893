// The changes. One class a statement; all belong to the writer's connection and its thread.
#pragma once

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <fmt/format.h>

#include "index/db/statements/row.hpp"

namespace ferryfs::index {

class insert_entry {
 public:
  explicit insert_entry(SQLite::Database& db)
      : db_(db),
        s_(db,
           fmt::format(
               "INSERT OR IGNORE INTO entry ({}) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,"
               "?18,?19,?20,?21,?22,?23,?24,?25,?26,?27,?28,?29)",
               entry_columns)) {}
  // The new inode, or 0 if the name is taken.
  inode operator()(const entry& e) {
    const statement_scope scope{s_};
    bind_entry(s_, e);
    return s_.exec() == 0 ? 0 : static_cast<inode>(db_.getLastInsertRowid());
  }

 private:
  SQLite::Database& db_;
  SQLite::Statement s_;
};

// Inserts a name that was only seen on the source: the other columns keep their defaults.
class insert_seen {
 public:
  explicit insert_seen(SQLite::Database& db)
      : db_(db),
        s_(db,
           "INSERT OR IGNORE INTO entry (parent, name, directory, state, day, source_mode, source_size, source_mtime, "
           "fetched, attempts) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,0,0)") {}
  inode operator()(const entry& e) {
    const statement_scope scope{s_};
    s_.bind(1, static_cast<std::int64_t>(e.parent));
    bind_bytes(s_, 2, e.name);
    s_.bind(3, e.is_directory() ? 1 : 0);
    s_.bind(4, static_cast<int>(e.state));
    s_.bind(5, e.day);
    s_.bind(6, static_cast<std::int64_t>(e.source->mode));
    s_.bind(7, static_cast<std::int64_t>(e.source->size));
    s_.bind(8, e.source->mtime);
    return s_.exec() == 0 ? 0 : static_cast<inode>(db_.getLastInsertRowid());
  }
  static bool suffices(const entry& e) {
    entry bare;
    bare.parent = e.parent, bare.name = e.name, bare.state = e.state, bare.day = e.day, bare.source = e.source;
    return e.source && !is_hidden(e.state) && e == bare;
  }

 private:
  SQLite::Database& db_;
  SQLite::Statement s_;
};

class update_entry {
 public:
  explicit update_entry(SQLite::Database& db)
      : s_(db,
           "UPDATE entry SET parent=?2, name=?3, directory=?4, state=?5, day=?6, source_mode=?7, source_size=?8, "
           "source_mtime=?9, local_mode=?10, local_size=?11, local_mtime=?12, uid=?13, gid=?14, fetched=?15, "
           "target=?16, sha256=?17, listed=?18, attempts=?19, retry_at=?20, error=?21, hidden=?22, "
           "origin=?23, set_mode=?24, set_mtime=?25, changed=?26, reason=?27, local_holes=?28, compared=?29 WHERE ino "
           "= ?1") {}
  void operator()(const entry& e) {
    const statement_scope scope{s_};
    bind_entry(s_, e);
    s_.exec();
  }

 private:
  SQLite::Statement s_;
};

// Updates a row that stays where it is in every index of the table: SQLite rewrites the entries of each one that a SET
// names.
class update_facts {
 public:
  explicit update_facts(SQLite::Database& db)
      : s_(db,
           "UPDATE entry SET source_mode=?7, source_size=?8, source_mtime=?9, local_mode=?10, local_size=?11, "
           "local_mtime=?12, uid=?13, gid=?14, fetched=?15, target=?16, sha256=?17, listed=?18, attempts=?19, "
           "error=?21, set_mode=?24, set_mtime=?25, changed=?26, reason=?27, local_holes=?28, compared=?29 WHERE ino = "
           "?1") {}
  void operator()(const entry& e) {
    const statement_scope scope{s_};
    bind_entry(s_, e);
    s_.exec();
  }
  static bool suffices(const entry& a, const entry& b) {
    return a.parent == b.parent && a.name == b.name && a.state == b.state && a.day == b.day &&
           a.is_directory() == b.is_directory() && a.retry_at == b.retry_at && a.origin == b.origin;
  }

 private:
  SQLite::Statement s_;
};

class delete_entry {
 public:
  explicit delete_entry(SQLite::Database& db) : s_(db, "DELETE FROM entry WHERE ino = ?1") {}
  void operator()(inode ino) {
    const statement_scope scope{s_};
    s_.bind(1, static_cast<std::int64_t>(ino));
    s_.exec();
  }

 private:
  SQLite::Statement s_;
};

class set_meta {
 public:
  explicit set_meta(SQLite::Database& db)
      : s_(db, "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2") {}
  void operator()(const std::string& key, const std::string& value) {
    const statement_scope scope{s_};
    s_.bind(1, key);
    s_.bind(2, value);
    s_.exec();
  }

 private:
  SQLite::Statement s_;
};

}  // namespace ferryfs::index
