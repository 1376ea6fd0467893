// The queries. One class a statement: its text, typed bind, typed row. Each belongs to one connection and its thread.
#pragma once

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>

#include "index/db/statements/row.hpp"

namespace ferryfs::index {

class find_inode {
 public:
  explicit find_inode(SQLite::Database& db)
      : s_(db, fmt::format("SELECT {} FROM entry WHERE ino = ?1", entry_columns)) {}
  std::optional<entry> operator()(inode ino) {
    const statement_scope scope{s_};
    s_.bind(1, static_cast<std::int64_t>(ino));
    return s_.executeStep() ? std::optional(read_entry(s_)) : std::nullopt;
  }

 private:
  SQLite::Statement s_;
};

// The row of a name in the view; with `hidden` 1, the row that keeps a name of the source from being shown.
class find_child {
 public:
  explicit find_child(SQLite::Database& db, int hidden = 0)
      : s_(db,
           fmt::format("SELECT {} FROM entry WHERE parent = ?1 AND hidden = {} AND name = ?2", entry_columns, hidden)) {
  }
  std::optional<entry> operator()(inode parent, std::string_view name) {
    const statement_scope scope{s_};
    s_.bind(1, static_cast<std::int64_t>(parent));
    bind_bytes(s_, 2, name);
    return s_.executeStep() ? std::optional(read_entry(s_)) : std::nullopt;
  }

 private:
  SQLite::Statement s_;
};

// The entry whose name on the source a `moved` row keeps.
class find_by_origin {
 public:
  explicit find_by_origin(SQLite::Database& db)
      : s_(db, fmt::format("SELECT {} FROM entry WHERE origin = ?1", entry_columns)) {}
  std::optional<entry> operator()(inode moved) {
    const statement_scope scope{s_};
    s_.bind(1, static_cast<std::int64_t>(moved));
    return s_.executeStep() ? std::optional(read_entry(s_)) : std::nullopt;
  }

 private:
  SQLite::Statement s_;
};

// Parent and name alone: the step of a way up to the root.
class find_name {
 public:
  explicit find_name(SQLite::Database& db) : s_(db, "SELECT parent, name, origin FROM entry WHERE ino = ?1") {}
  struct row {
    inode parent;
    std::string name;
    inode origin;  // 0: none
  };
  std::optional<row> operator()(inode ino) {
    const statement_scope scope{s_};
    s_.bind(1, static_cast<std::int64_t>(ino));
    if (!s_.executeStep()) return std::nullopt;
    return row{static_cast<inode>(s_.getColumn(0).getInt64()), bytes_of(s_.getColumn(1)),
               static_cast<inode>(s_.getColumn(2).getInt64())};
  }

 private:
  SQLite::Statement s_;
};

// The inode of a name of the view that stands on a side ("source" or "local") exactly so; 0: otherwise, or not at all.
// A scan asks this of every name: one row is looked at, and of it only the inode is read. On the source, an entry
// renamed here has another name.
class find_unchanged {
 public:
  find_unchanged(SQLite::Database& db, std::string_view on)
      : s_(db, fmt::format("SELECT ino FROM entry WHERE parent = ?1 AND hidden = 0 AND name = ?2 AND {0}_mode = ?3 AND "
                           "{0}_size = ?4 AND {0}_mtime = ?5 {1}",
                           on, on == "source" ? "AND origin IS NULL" : "")) {}
  inode operator()(inode parent, std::string_view name, const file_facts& s) {
    const statement_scope scope{s_};
    s_.bind(1, static_cast<std::int64_t>(parent));
    bind_bytes(s_, 2, name);
    s_.bind(3, static_cast<std::int64_t>(s.mode));
    s_.bind(4, static_cast<std::int64_t>(s.size));
    s_.bind(5, s.mtime);
    return s_.executeStep() ? static_cast<inode>(s_.getColumn(0).getInt64()) : 0;
  }

 private:
  SQLite::Statement s_;
};

// The inodes of a directory's names in the view, from the index of names alone.
class list_inodes {
 public:
  explicit list_inodes(SQLite::Database& db)
      : s_(db, "SELECT ino FROM entry INDEXED BY entry_name WHERE parent = ?1 AND hidden = 0") {}
  template <typename Each>
  void operator()(inode parent, Each&& each) {
    const statement_scope scope{s_};
    s_.bind(1, static_cast<std::int64_t>(parent));
    while (s_.executeStep()) each(static_cast<inode>(s_.getColumn(0).getInt64()));
  }

 private:
  SQLite::Statement s_;
};

// The rows of a directory after `after`, in the order of their names' bytes. `each(entry&&)` returns false to stop.
class list_children {
 public:
  explicit list_children(SQLite::Database& db, int hidden = 0, std::string_view only = "")
      : s_(db, fmt::format("SELECT {} FROM entry WHERE parent = ?1 AND hidden = {} AND name > ?2 {} ORDER BY name",
                           entry_columns, hidden, only)) {}
  template <typename Each>
  void operator()(inode parent, std::string_view after, Each&& each) {
    const statement_scope scope{s_};
    s_.bind(1, static_cast<std::int64_t>(parent));
    bind_bytes(s_, 2, after);
    while (s_.executeStep())
      if (!each(read_entry(s_))) return;
  }

 private:
  SQLite::Statement s_;
};

// The same for subdirectories alone; reads no picture's row.
class list_subdirectories : public list_children {
 public:
  explicit list_subdirectories(SQLite::Database& db) : list_children(db, 0, "AND directory = 1") {}
};

// Gaps in the order of replication: newest day first, after the position (`day`, `ino`).
class next_gaps {
 public:
  explicit next_gaps(SQLite::Database& db)
      : s_(db,
           fmt::format("SELECT {} FROM entry INDEXED BY entry_gap WHERE state = 2 AND (day < ?1 OR (day = ?1 AND ino "
                       "> ?2)) ORDER BY day DESC, ino LIMIT ?3",
                       entry_columns)) {}
  template <typename Each>
  void operator()(std::int32_t day, inode ino, int limit, Each&& each) {
    const statement_scope scope{s_};
    s_.bind(1, day);
    s_.bind(2, static_cast<std::int64_t>(ino));
    s_.bind(3, limit);
    while (s_.executeStep()) each(read_entry(s_));
  }

 private:
  SQLite::Statement s_;
};

// Whether a failed gap waits for the end of what is being written on the source.
class any_changing {
 public:
  explicit any_changing(SQLite::Database& db)
      : s_(db, fmt::format("SELECT 1 FROM entry WHERE state = 7 AND reason = {} LIMIT 1",
                           static_cast<int>(reason::changing))) {}
  bool operator()() {
    const statement_scope scope{s_};
    return s_.executeStep();
  }

 private:
  SQLite::Statement s_;
};

// Failed gaps whose time has come at `now` (seconds since 1970), the longest overdue first.
class due_failures {
 public:
  explicit due_failures(SQLite::Database& db)
      : s_(db, fmt::format("SELECT {} FROM entry WHERE state = 7 AND retry_at <= ?1 ORDER BY retry_at LIMIT ?2",
                           entry_columns)) {}
  template <typename Each>
  void operator()(std::int64_t now, int limit, Each&& each) {
    const statement_scope scope{s_};
    s_.bind(1, now);
    s_.bind(2, limit);
    while (s_.executeStep()) each(read_entry(s_));
  }

 private:
  SQLite::Statement s_;
};

// All rows of a state that few rows have (index entry_rare), in any order.
class list_of_state {
 public:
  explicit list_of_state(SQLite::Database& db)
      : s_(db,
           fmt::format("SELECT {} FROM entry INDEXED BY entry_rare WHERE state = ?1 AND state > 2", entry_columns)) {}
  template <typename Each>
  void operator()(state in, Each&& each) {
    const statement_scope scope{s_};
    s_.bind(1, static_cast<int>(in));
    while (s_.executeStep()) each(read_entry(s_));
  }

 private:
  SQLite::Statement s_;
};

// Some of those.
class some_of_state {
 public:
  explicit some_of_state(SQLite::Database& db)
      : s_(db,
           fmt::format("SELECT {} FROM entry INDEXED BY entry_rare WHERE state = ?1 AND state > 2 AND directory = 0 "
                       "LIMIT ?2",
                       entry_columns)) {}
  template <typename Each>
  void operator()(state in, int limit, Each&& each) {
    const statement_scope scope{s_};
    s_.bind(1, static_cast<int>(in));
    s_.bind(2, limit);
    while (s_.executeStep()) each(read_entry(s_));
  }

 private:
  SQLite::Statement s_;
};

// Pictures of both sides whose digests were not compared as they stand now (entry::is_compared). Looks at every row.
class count_uncompared {
 public:
  explicit count_uncompared(SQLite::Database& db)
      : s_(db,
           "SELECT count(*) FROM entry WHERE state = 1 AND hidden = 0 AND local_mode & 61440 = 32768 AND "
           "(sha256 IS NULL OR compared IS NOT source_mtime)") {}
  std::int64_t operator()() {
    const statement_scope scope{s_};
    s_.executeStep();
    return s_.getColumn(0).getInt64();
  }

 private:
  SQLite::Statement s_;
};

class get_meta {
 public:
  explicit get_meta(SQLite::Database& db) : s_(db, "SELECT value FROM meta WHERE key = ?1") {}
  std::optional<std::string> operator()(const std::string& key) {
    const statement_scope scope{s_};
    s_.bind(1, key);
    return s_.executeStep() ? std::optional(s_.getColumn(0).getString()) : std::nullopt;
  }

 private:
  SQLite::Statement s_;
};

}  // namespace ferryfs::index
