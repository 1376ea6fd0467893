// The statements of the table of lost pictures.
#pragma once

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <string_view>

#include "index/db/statements/row.hpp"
#include "index/model/lost_picture.hpp"

namespace ferryfs::index {

class insert_lost {
 public:
  explicit insert_lost(SQLite::Database& db) : s_(db, "INSERT OR REPLACE INTO lost VALUES (?1, ?2, ?3, ?4)") {}
  void operator()(const lost_picture& l) {
    const statement_scope scope{s_};
    bind_bytes(s_, 1, l.path);
    s_.bind(2, static_cast<std::int64_t>(l.size));
    s_.bind(3, l.mtime);
    s_.bind(4, l.noticed);
    s_.exec();
  }

 private:
  SQLite::Statement s_;
};

class delete_lost {
 public:
  explicit delete_lost(SQLite::Database& db) : s_(db, "DELETE FROM lost WHERE path = ?1") {}
  void operator()(std::string_view path) {
    const statement_scope scope{s_};
    bind_bytes(s_, 1, path);
    s_.exec();
  }

 private:
  SQLite::Statement s_;
};

// Whether there are any, at no cost however many there are.
class any_lost {
 public:
  explicit any_lost(SQLite::Database& db) : s_(db, "SELECT 1 FROM lost LIMIT 1") {}
  bool operator()() {
    const statement_scope scope{s_};
    return s_.executeStep();
  }

 private:
  SQLite::Statement s_;
};

class sum_lost {
 public:
  explicit sum_lost(SQLite::Database& db) : s_(db, "SELECT count(*), coalesce(sum(size), 0) FROM lost") {}
  lost_totals operator()() {
    const statement_scope scope{s_};
    s_.executeStep();
    return {s_.getColumn(0).getInt64(), s_.getColumn(1).getInt64()};
  }

 private:
  SQLite::Statement s_;
};

// In the order of their paths' bytes. `each(const loss&)` returns false to stop.
class list_lost {
 public:
  explicit list_lost(SQLite::Database& db) : s_(db, "SELECT path, size, mtime, noticed FROM lost ORDER BY path") {}
  template <typename Each>
  void operator()(Each&& each) {
    const statement_scope scope{s_};
    while (s_.executeStep()) {
      const lost_picture l{bytes_of(s_.getColumn(0)), static_cast<std::uint64_t>(s_.getColumn(1).getInt64()),
                           s_.getColumn(2).getInt64(), s_.getColumn(3).getInt64()};
      if (!each(l)) return;
    }
  }

 private:
  SQLite::Statement s_;
};

}  // namespace ferryfs::index
