// The statements of the table of refused names.
#pragma once

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <fmt/format.h>

#include "index/db/statements/row.hpp"
#include "index/model/refused_name.hpp"

namespace ferryfs::index {

// The changes, for the writer.
class refused_names {
 public:
  explicit refused_names(SQLite::Database& db)
      : doubt_(db, "UPDATE refused_name SET listed = 0 WHERE directory = ?1"),
        forget_(db, "DELETE FROM refused_name WHERE directory = ?1 AND listed = 0"),
        add_(db,
             "INSERT INTO refused_name (directory, name, reason, listed, skipped) VALUES (?1, ?2, ?3, 1, 0) "
             "ON CONFLICT (directory, name) DO UPDATE SET reason = ?3, listed = 1"),
        skip_(db, "UPDATE refused_name SET skipped = 1 WHERE directory = ?1 AND name = ?2"),
        skipped_(db, "SELECT directory, name FROM refused_name WHERE skipped = 1") {}

  // Marks all refused names of a directory as not listed; the listing that follows names those that are still there.
  void doubt(inode directory) { run(doubt_, directory); }
  void forget_doubted(inode directory) { run(forget_, directory); }
  void add(inode directory, const refused_name& n) {
    const statement_scope scope{add_};
    add_.bind(1, static_cast<std::int64_t>(directory));
    bind_bytes(add_, 2, n.name);
    add_.bind(3, n.reason);
    add_.exec();
  }
  // False: there is no such name.
  bool skip(inode directory, std::string_view name) {
    const statement_scope scope{skip_};
    skip_.bind(1, static_cast<std::int64_t>(directory));
    bind_bytes(skip_, 2, name);
    return skip_.exec() > 0;
  }

  // `each(inode directory, std::string name)` for those that were skipped.
  template <typename Each>
  void skipped(Each&& each) {
    const statement_scope scope{skipped_};
    while (skipped_.executeStep())
      each(static_cast<inode>(skipped_.getColumn(0).getInt64()), bytes_of(skipped_.getColumn(1)));
  }

 private:
  static void run(SQLite::Statement& s, inode directory) {
    const statement_scope scope{s};
    s.bind(1, static_cast<std::int64_t>(directory));
    s.exec();
  }
  SQLite::Statement doubt_, forget_, add_, skip_, skipped_;
};

// Of directories that the source still has, and not skipped.
inline constexpr const char* those_that_count =
    "skipped = 0 AND EXISTS (SELECT 1 FROM entry WHERE ino = refused_name.directory AND source_mode IS NOT NULL)";

class count_refused {
 public:
  explicit count_refused(SQLite::Database& db)
      : s_(db, fmt::format("SELECT count(*) FROM refused_name WHERE {}", those_that_count)) {}
  index::refusals operator()() {
    const statement_scope scope{s_};
    s_.executeStep();
    return {s_.getColumn(0).getInt64()};
  }

 private:
  SQLite::Statement s_;
};

// `each(inode directory, refused_name&&)`.
class list_refused_names {
 public:
  explicit list_refused_names(SQLite::Database& db)
      : s_(db, fmt::format("SELECT directory, name, reason FROM refused_name WHERE {}", those_that_count)) {}
  template <typename Each>
  void operator()(Each&& each) {
    const statement_scope scope{s_};
    while (s_.executeStep())
      each(static_cast<inode>(s_.getColumn(0).getInt64()),
           refused_name{bytes_of(s_.getColumn(1)), s_.getColumn(2).getString()});
  }

 private:
  SQLite::Statement s_;
};

}  // namespace ferryfs::index
