// The statements of the table of renames that were begun on the disk.
#pragma once

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <vector>

#include "index/rename_intent.hpp"
#include "index/statements/row.hpp"

namespace ferryfs::index {

class insert_renaming {
 public:
  explicit insert_renaming(SQLite::Database& db)
      : s_(db, "INSERT OR REPLACE INTO renaming VALUES (?1, ?2, ?3, ?4, ?5)") {}
  void operator()(const rename_intent& r) {
    const running scope{s_};
    s_.bind(1, static_cast<std::int64_t>(r.ino));
    s_.bind(2, static_cast<std::int64_t>(r.parent));
    bind_bytes(s_, 3, r.name);
    s_.bind(4, static_cast<std::int64_t>(r.exchanged));
    s_.bind(5, static_cast<std::int64_t>(r.file));
    s_.exec();
  }

 private:
  SQLite::Statement s_;
};

class delete_renaming {
 public:
  explicit delete_renaming(SQLite::Database& db) : s_(db, "DELETE FROM renaming WHERE ino = ?1") {}
  void operator()(inode ino) {
    const running scope{s_};
    s_.bind(1, static_cast<std::int64_t>(ino));
    s_.exec();
  }

 private:
  SQLite::Statement s_;
};

class list_renaming {
 public:
  explicit list_renaming(SQLite::Database& db) : s_(db, "SELECT ino, parent, name, exchanged, file FROM renaming") {}
  std::vector<rename_intent> operator()() {
    const running scope{s_};
    std::vector<rename_intent> all;
    while (s_.executeStep()) {
      const auto number = [&](int column) { return static_cast<std::uint64_t>(s_.getColumn(column).getInt64()); };
      const auto name = s_.getColumn(2);
      all.push_back({number(0),
                     number(1),
                     {static_cast<const char*>(name.getBlob()), static_cast<std::size_t>(name.getBytes())},
                     number(3),
                     number(4)});
    }
    return all;
  }

 private:
  SQLite::Statement s_;
};

}  // namespace ferryfs::index
