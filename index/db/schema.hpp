// The tables of the index and how older ones become newer ones.
#pragma once

#include <SQLiteCpp/Database.h>

#include <string>

namespace ferryfs::index {

inline constexpr int schema_version = 8;  // PRAGMA user_version

// Brings the file to WAL and the schema to schema_version, one step a version, each step one transaction. Throws
// ferryfs::error (local) for an index of a newer version, and then changes nothing.
void migrate(SQLite::Database& database);

// Throws as `migrate` does where it could not be read by this version; for read-only connections.
void require_current(SQLite::Database& database);

// Throws as `migrate` does.
void refuse_newer(SQLite::Database& database);

// Whether the file at `path` was made to be an index, and nothing came of that before the power went.
bool is_blank(const std::string& path);

}  // namespace ferryfs::index
