// How an entry stands in a row: the columns, in the order of the schema, and their way in and out of a statement.
#pragma once

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Statement.h>

#include <string>
#include <string_view>

#include "index/model/entry.hpp"

namespace ferryfs::index {

inline constexpr const char* entry_columns =
    "ino, parent, name, directory, state, day, source_mode, source_size, source_mtime, local_mode, local_size, "
    "local_mtime, uid, gid, fetched, target, sha256, listed, attempts, retry_at, error, hidden, "
    "origin, set_mode, set_mtime, changed, reason, local_holes, compared";

// Reads a row that was selected as `entry_columns`.
entry read_entry(SQLite::Statement& row);

// Binds all columns but `ino` to ?2…?29 and `ino` to ?1 (NULL while it is 0, so that SQLite gives the next).
void bind_entry(SQLite::Statement& statement, const entry& e);

// The bytes of a column; none where it is NULL.
std::string bytes_of(const SQLite::Column& column);

// Binds bytes; the caller keeps them alive until the statement is reset. An empty view binds an empty blob.
void bind_bytes(SQLite::Statement& statement, int index, std::string_view bytes);

// Resets a statement when the scope ends: one that is left open keeps the WAL from ever being checkpointed.
class statement_scope {
 public:
  explicit statement_scope(SQLite::Statement& statement) noexcept : statement_(statement) {}
  ~statement_scope() { statement_.tryReset(); }
  statement_scope(const statement_scope&) = delete;
  statement_scope& operator=(const statement_scope&) = delete;

 private:
  SQLite::Statement& statement_;
};

}  // namespace ferryfs::index
