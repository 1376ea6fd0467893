// The statements about symbolic links.
#pragma once

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>

#include "index/db/statements/row.hpp"

namespace ferryfs::index {

// Links of the view after `after`, in the order of their inodes; no other row is read.
class list_links {
 public:
  explicit list_links(SQLite::Database& db)
      : s_(db, fmt::format("SELECT {} FROM entry INDEXED BY entry_link WHERE target IS NOT NULL AND hidden = 0 AND "
                           "ino > ?1 ORDER BY ino LIMIT ?2",
                           entry_columns)) {}
  template <typename Each>
  void operator()(inode after, int limit, Each&& each) {
    const statement_scope scope{s_};
    s_.bind(1, static_cast<std::int64_t>(after));
    s_.bind(2, limit);
    while (s_.executeStep()) each(read_entry(s_));
  }

 private:
  SQLite::Statement s_;
};

// The target with which the operator accepted a refused link.
class find_accepted {
 public:
  explicit find_accepted(SQLite::Database& db) : s_(db, "SELECT target FROM accepted_link WHERE ino = ?1") {}
  std::optional<std::string> operator()(inode ino) {
    const statement_scope scope{s_};
    s_.bind(1, static_cast<std::int64_t>(ino));
    if (!s_.executeStep()) return std::nullopt;
    return bytes_of(s_.getColumn(0));
  }

 private:
  SQLite::Statement s_;
};

class list_accepted {
 public:
  explicit list_accepted(SQLite::Database& db) : s_(db, "SELECT ino, target FROM accepted_link") {}
  // `each(inode, std::string target)`
  template <typename Each>
  void operator()(Each&& each) {
    const statement_scope scope{s_};
    while (s_.executeStep()) each(static_cast<inode>(s_.getColumn(0).getInt64()), bytes_of(s_.getColumn(1)));
  }

 private:
  SQLite::Statement s_;
};

class insert_accepted {
 public:
  explicit insert_accepted(SQLite::Database& db) : s_(db, "INSERT OR REPLACE INTO accepted_link VALUES (?1, ?2)") {}
  void operator()(inode ino, std::string_view target) {
    const statement_scope scope{s_};
    s_.bind(1, static_cast<std::int64_t>(ino));
    bind_bytes(s_, 2, target);
    s_.exec();
  }

 private:
  SQLite::Statement s_;
};

}  // namespace ferryfs::index
