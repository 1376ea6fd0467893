// The statements of the table of decisions whose lines are not in the file yet.
#pragma once

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <string>
#include <string_view>

#include "index/db/statements/row.hpp"

namespace ferryfs::index {

class insert_decision {
 public:
  explicit insert_decision(SQLite::Database& db) : s_(db, "INSERT INTO decision (line) VALUES (?1)") {}
  void operator()(std::string_view line) {
    const statement_scope scope{s_};
    bind_bytes(s_, 1, line);
    s_.exec();
  }

 private:
  SQLite::Statement s_;
};

struct unwritten_lines {
  std::string text;
  std::int64_t last = 0;  // the id of the last of them; 0: there are none
};

class list_decisions {
 public:
  explicit list_decisions(SQLite::Database& db) : s_(db, "SELECT id, line FROM decision ORDER BY id") {}
  // At most some 4 MiB of them.
  unwritten_lines operator()() {
    const statement_scope scope{s_};
    unwritten_lines lines;
    while (lines.text.size() < (4U << 20) && s_.executeStep()) {
      const auto line = s_.getColumn(1);
      lines.text.append(static_cast<const char*>(line.getBlob()), static_cast<std::size_t>(line.getBytes()));
      lines.last = s_.getColumn(0).getInt64();
    }
    return lines;
  }

 private:
  SQLite::Statement s_;
};

class delete_decisions {
 public:
  explicit delete_decisions(SQLite::Database& db) : s_(db, "DELETE FROM decision WHERE id <= ?1") {}
  void operator()(std::int64_t upto) {
    const statement_scope scope{s_};
    s_.bind(1, upto);
    s_.exec();
  }

 private:
  SQLite::Statement s_;
};

}  // namespace ferryfs::index
