// The statements of the table of directories that could not be listed.
#pragma once

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "index/db/statements/row.hpp"
#include "index/model/unlisted.hpp"

namespace ferryfs::index {

// Keeps that it was accepted, as long as it is for the same reason.
class insert_unlisted {
 public:
  explicit insert_unlisted(SQLite::Database& db)
      : s_(db, "INSERT INTO unlisted VALUES (?1, ?2, ?3, 0) ON CONFLICT DO UPDATE SET denied = ?2, error = ?3") {}
  void operator()(inode directory, bool denied, std::string_view text) {
    const statement_scope scope{s_};
    s_.bind(1, static_cast<std::int64_t>(directory));
    s_.bind(2, denied ? 1 : 0);
    s_.bind(3, std::string(text));
    s_.exec();
  }

 private:
  SQLite::Statement s_;
};

class change_unlisted {
 public:
  change_unlisted(SQLite::Database& db, const char* text) : s_(db, text) {}
  // False: it is none of them.
  bool operator()(inode directory) {
    const statement_scope scope{s_};
    s_.bind(1, static_cast<std::int64_t>(directory));
    return s_.exec() > 0;
  }

 private:
  SQLite::Statement s_;
};
struct delete_unlisted : change_unlisted {
  explicit delete_unlisted(SQLite::Database& db) : change_unlisted(db, "DELETE FROM unlisted WHERE ino = ?1") {}
};
struct accept_unlisted : change_unlisted {
  explicit accept_unlisted(SQLite::Database& db)
      : change_unlisted(db, "UPDATE unlisted SET accepted = 1 WHERE ino = ?1") {}
};

class list_accepted_unlisted {
 public:
  explicit list_accepted_unlisted(SQLite::Database& db) : s_(db, "SELECT ino FROM unlisted WHERE accepted = 1") {}
  template <typename Each>
  void operator()(Each&& each) {
    const statement_scope scope{s_};
    while (s_.executeStep()) each(static_cast<inode>(s_.getColumn(0).getInt64()));
  }

 private:
  SQLite::Statement s_;
};

class find_unlisted {
 public:
  explicit find_unlisted(SQLite::Database& db)
      : s_(db, "SELECT denied, error, accepted FROM unlisted WHERE ino = ?1") {}
  std::optional<unlisted> operator()(inode directory) {
    const statement_scope scope{s_};
    s_.bind(1, static_cast<std::int64_t>(directory));
    if (!s_.executeStep()) return std::nullopt;
    return unlisted{directory, s_.getColumn(0).getInt() != 0, s_.getColumn(1).getString(),
                    s_.getColumn(2).getInt() != 0};
  }

 private:
  SQLite::Statement s_;
};

// Whether there are any, at no cost however many there are.
class any_unlisted {
 public:
  explicit any_unlisted(SQLite::Database& db) : s_(db, "SELECT 1 FROM unlisted LIMIT 1") {}
  bool operator()() {
    const statement_scope scope{s_};
    return s_.executeStep();
  }

 private:
  SQLite::Statement s_;
};

// The directories that count as unlisted: never listed, or not by the last scan, and not accepted, skipped or in
// conflict.
class list_unlisted {
 public:
  static constexpr const char* query =
      "FROM entry LEFT JOIN unlisted USING (ino) WHERE directory = 1 AND hidden = 0 AND source_mode IS NOT NULL AND "
      "state NOT IN (4, 6) AND coalesce(accepted, 0) = 0 AND ";
  explicit list_unlisted(SQLite::Database& db)
      : never_(db, std::string("SELECT ino, coalesce(denied, 0), coalesce(unlisted.error, '') ") + query +
                       "listed IS NULL"),
        failed_(db,
                "SELECT ino, denied, unlisted.error FROM unlisted JOIN entry USING (ino) WHERE hidden = 0 AND listed "
                "IS NOT "
                "NULL AND source_mode IS NOT NULL AND state NOT IN (4, 6) AND accepted = 0") {}
  // `each(unlisted&&)` returns false to stop.
  template <typename Each>
  void operator()(Each&& each) {
    for (SQLite::Statement* s : {&never_, &failed_}) {
      const statement_scope scope{*s};
      while (s->executeStep())
        if (!each(unlisted{static_cast<inode>(s->getColumn(0).getInt64()), s->getColumn(1).getInt() != 0,
                           s->getColumn(2).getString(), false}))
          return;
    }
  }

 private:
  SQLite::Statement never_, failed_;
};

// How many those are. The index entry_unlisted has the first kind alone, so this costs what there is to count.
class count_unlisted {
 public:
  explicit count_unlisted(SQLite::Database& db)
      : s_(db, std::string("SELECT (SELECT count(*) ") + list_unlisted::query +
                   "listed IS NULL) + (SELECT count(*) FROM unlisted JOIN entry USING (ino) WHERE hidden = 0 AND "
                   "listed IS NOT NULL AND source_mode IS NOT NULL AND state NOT IN (4, 6) AND accepted = 0)") {}
  std::int64_t operator()() {
    const statement_scope scope{s_};
    return s_.executeStep() ? s_.getColumn(0).getInt64() : 0;
  }

 private:
  SQLite::Statement s_;
};

}  // namespace ferryfs::index
