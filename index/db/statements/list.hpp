// The statements of the lists and of reports, which read many rows and little of each.
#pragma once

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "index/db/statements/row.hpp"

namespace ferryfs::index {

// The columns that a list needs.
struct list_row {
  inode ino = 0;
  std::string name;
  ferryfs::state state = ferryfs::state::missing;
  bool directory = false, on_source = false, source_is_directory = false, renamed = false;
  std::uint64_t source_size = 0, local_size = 0;
};

// Rows of a directory after `after`, in the order of their names' bytes, into `rows`; returns how many, `limit` at
// most. Of pictures only those of a state, if one is given.
class select_list_rows {
 public:
  explicit select_list_rows(SQLite::Database& db, std::string_view only = "")
      : s_(db,
           fmt::format("SELECT ino, name, state, directory, source_mode, source_size, local_size, origin FROM entry "
                       "WHERE parent = ?1 AND hidden = ?2 AND name > ?3 AND (?4 = 0 OR state = ?4 OR directory = 1) "
                       "{} ORDER BY name LIMIT ?5",
                       only)) {}
  std::size_t operator()(inode parent, bool hidden, std::string_view after, std::optional<state> of, std::size_t limit,
                         std::vector<list_row>& rows) {
    const statement_scope scope{s_};
    s_.bind(1, static_cast<std::int64_t>(parent));
    s_.bind(2, hidden ? 1 : 0);
    bind_bytes(s_, 3, after);
    s_.bind(4, of ? static_cast<int>(*of) : 0);
    s_.bind(5, static_cast<std::int64_t>(limit));
    std::size_t count = 0;
    for (; s_.executeStep(); ++count) {
      if (rows.size() == count) rows.emplace_back();
      read(rows[count]);
    }
    return count;
  }

 private:
  // Into what is there: a million names are not a million allocations.
  void read(list_row& b) {
    b.ino = static_cast<inode>(s_.getColumn(0).getInt64());
    const auto name = s_.getColumn(1);
    b.name.assign(static_cast<const char*>(name.getBlob()), static_cast<std::size_t>(name.getBytes()));
    b.state = static_cast<state>(s_.getColumn(2).getInt());
    b.directory = s_.getColumn(3).getInt() != 0;
    const auto source_mode = s_.getColumn(4);
    b.on_source = !source_mode.isNull();
    b.source_is_directory = S_ISDIR(source_mode.getUInt());
    b.source_size = static_cast<std::uint64_t>(s_.getColumn(5).getInt64());
    b.local_size = static_cast<std::uint64_t>(s_.getColumn(6).getInt64());
    b.renamed = !s_.getColumn(7).isNull();
  }
  SQLite::Statement s_;
};

// How many pictures of a state are in a directory itself.
class count_in_directory {
 public:
  explicit count_in_directory(SQLite::Database& db)
      : s_(db, "SELECT files FROM directory_counter WHERE parent = ?1 AND state = ?2") {}
  std::int64_t operator()(inode parent, state s) {
    const statement_scope scope{s_};
    s_.bind(1, static_cast<std::int64_t>(parent));
    s_.bind(2, static_cast<int>(s));
    return s_.executeStep() ? s_.getColumn(0).getInt64() : 0;
  }

 private:
  SQLite::Statement s_;
};

// Every picture once, in no order. `each(name, state, source_size, local_size)`; the name lives as long as the call.
class list_sizes {
 public:
  explicit list_sizes(SQLite::Database& db)
      : s_(db, "SELECT name, state, source_size, local_size FROM entry WHERE directory = 0") {}
  template <typename Each>
  void operator()(Each&& each) {
    const statement_scope scope{s_};
    while (s_.executeStep()) {
      const auto name = s_.getColumn(0);
      each(std::string_view(static_cast<const char*>(name.getBlob()), static_cast<std::size_t>(name.getBytes())),
           static_cast<state>(s_.getColumn(1).getInt()), s_.getColumn(2).getInt64(), s_.getColumn(3).getInt64());
    }
  }

 private:
  SQLite::Statement s_;
};

// The failures that were tried most often.
class worst_failures {
 public:
  explicit worst_failures(SQLite::Database& db)
      : s_(db, "SELECT ino, attempts, error FROM entry WHERE state = 7 ORDER BY attempts DESC, ino LIMIT ?1") {}
  struct row {
    inode ino;
    std::int64_t attempts;
    std::string error;
  };
  std::vector<row> operator()(int limit) {
    const statement_scope scope{s_};
    s_.bind(1, limit);
    std::vector<row> rows;
    while (s_.executeStep())
      rows.push_back(
          {static_cast<inode>(s_.getColumn(0).getInt64()), s_.getColumn(1).getInt64(), s_.getColumn(2).getString()});
    return rows;
  }

 private:
  SQLite::Statement s_;
};

// The highest inode that was ever given: it grows with every new row.
class last_inode {
 public:
  explicit last_inode(SQLite::Database& db) : s_(db, "SELECT seq FROM sqlite_sequence WHERE name = 'entry'") {}
  std::int64_t operator()() {
    const statement_scope scope{s_};
    return s_.executeStep() ? s_.getColumn(0).getInt64() : 0;
  }

 private:
  SQLite::Statement s_;
};

}  // namespace ferryfs::index
