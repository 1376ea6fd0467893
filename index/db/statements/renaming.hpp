// The statements of the table of renames and removals that were begun on the disk.
#pragma once

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <vector>

#include "index/db/statements/row.hpp"
#include "index/model/rename_intent.hpp"

namespace ferryfs::index {

class insert_renaming {
 public:
  explicit insert_renaming(SQLite::Database& db)
      : s_(db,
           "INSERT INTO name_change (ino, parent, name, exchanged, file, old_parent, old_path, new_path, replaced, "
           "done) "
           "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)") {}
  void operator()(const rename_intent& r) {
    const statement_scope scope{s_};
    s_.bind(1, static_cast<std::int64_t>(r.ino));
    s_.bind(2, static_cast<std::int64_t>(r.parent));
    bind_bytes(s_, 3, r.name);
    s_.bind(4, static_cast<std::int64_t>(r.exchanged));
    s_.bind(5, static_cast<std::int64_t>(r.file));
    s_.bind(6, static_cast<std::int64_t>(r.old_parent));
    bind_bytes(s_, 7, r.old_path);
    bind_bytes(s_, 8, r.new_path);
    s_.bind(9, static_cast<std::int64_t>(r.replaced));
    s_.bind(10, r.done ? 1 : 0);
    s_.exec();
  }

 private:
  SQLite::Statement s_;
};

// Changes the entry's intent that is not done.
class change_renaming {
 public:
  change_renaming(SQLite::Database& db, const char* sql) : s_(db, sql) {}
  void operator()(inode ino) {
    const statement_scope scope{s_};
    s_.bind(1, static_cast<std::int64_t>(ino));
    s_.exec();
  }

 private:
  SQLite::Statement s_;
};
struct delete_renaming : change_renaming {
  explicit delete_renaming(SQLite::Database& db)
      : change_renaming(db, "DELETE FROM name_change WHERE ino = ?1 AND done = 0") {}
};
struct finish_renaming : change_renaming {
  explicit finish_renaming(SQLite::Database& db)
      : change_renaming(db, "UPDATE name_change SET done = 1 WHERE ino = ?1 AND done = 0") {}
};

// Lists the intents in the order in which they were begun.
class list_renaming {
 public:
  explicit list_renaming(SQLite::Database& db)
      : s_(db,
           "SELECT ino, parent, name, exchanged, file, old_parent, old_path, new_path, replaced, done "
           "FROM name_change ORDER BY id") {}
  std::vector<rename_intent> operator()() {
    const statement_scope scope{s_};
    std::vector<rename_intent> all;
    while (s_.executeStep()) {
      const auto number = [&](int column) { return static_cast<std::uint64_t>(s_.getColumn(column).getInt64()); };
      const auto bytes = [&](int column) { return bytes_of(s_.getColumn(column)); };
      all.push_back({number(0), number(1), bytes(2), number(3), number(4), number(5), bytes(6), bytes(7), number(8),
                     number(9) != 0});
    }
    return all;
  }

 private:
  SQLite::Statement s_;
};

// Marks the intents that are done: the disk is about to be synced for them. Then any_marked and delete_marked are about
// those.
struct mark_done : SQLite::Statement {
  explicit mark_done(SQLite::Database& db) : Statement(db, "UPDATE name_change SET done = 2 WHERE done = 1") {}
  void operator()() {
    const statement_scope scope{*this};
    exec();
  }
};
struct delete_marked : SQLite::Statement {
  explicit delete_marked(SQLite::Database& db) : Statement(db, "DELETE FROM name_change WHERE done = 2") {}
  void operator()() {
    const statement_scope scope{*this};
    exec();
  }
};
// Whether there are any of the latter, also of an earlier process.
struct any_marked : SQLite::Statement {
  explicit any_marked(SQLite::Database& db) : Statement(db, "SELECT 1 FROM name_change WHERE done = 2 LIMIT 1") {}
  bool operator()() {
    const statement_scope scope{*this};
    return executeStep();
  }
};

}  // namespace ferryfs::index
