#include "index/db/statements/row.hpp"

namespace ferryfs::index {
namespace {

std::optional<file_facts> read_facts(SQLite::Statement& row, int first) {
  const auto mode = row.getColumn(first);
  if (mode.isNull()) return std::nullopt;
  return file_facts{mode.getUInt(), static_cast<std::uint64_t>(row.getColumn(first + 1).getInt64()),
                    row.getColumn(first + 2).getInt64()};
}

void bind_facts(SQLite::Statement& statement, int first, const std::optional<file_facts>& s) {
  if (!s) {
    for (int i = 0; i < 3; ++i) statement.bind(first + i);
    return;
  }
  statement.bind(first, static_cast<std::int64_t>(s->mode));
  statement.bind(first + 1, static_cast<std::int64_t>(s->size));
  statement.bind(first + 2, s->mtime);
}

template <typename T>
void bind_optional(SQLite::Statement& statement, int index, const std::optional<T>& value) {
  value ? statement.bind(index, static_cast<std::int64_t>(*value)) : statement.bind(index);
}

void bind_bytes_or_null(SQLite::Statement& statement, int index, std::string_view bytes) {
  bytes.empty() ? statement.bind(index) : bind_bytes(statement, index, bytes);
}

std::optional<std::uint32_t> read_id(const SQLite::Column& column) {
  return column.isNull() ? std::nullopt : std::optional(column.getUInt());
}

}  // namespace

std::string bytes_of(const SQLite::Column& column) {
  const auto* data = static_cast<const char*>(column.getBlob());
  return data == nullptr ? std::string() : std::string(data, static_cast<std::size_t>(column.getBytes()));
}

void bind_bytes(SQLite::Statement& statement, int index, std::string_view bytes) {
  statement.bindNoCopy(index, static_cast<const void*>(bytes.empty() ? "" : bytes.data()),
                       static_cast<int>(bytes.size()));
}

entry read_entry(SQLite::Statement& row) {
  entry e;
  e.ino = static_cast<inode>(row.getColumn(0).getInt64());
  e.parent = static_cast<inode>(row.getColumn(1).getInt64());
  e.name = bytes_of(row.getColumn(2));
  e.state = static_cast<state>(row.getColumn(4).getInt());
  e.day = row.getColumn(5).getInt();
  e.source = read_facts(row, 6);
  e.local = read_facts(row, 9);
  if (e.local) e.local->holes = static_cast<std::uint64_t>(row.getColumn(27).getInt64());  // 0 where it is NULL
  e.uid = read_id(row.getColumn(12));
  e.gid = read_id(row.getColumn(13));
  e.fetched = row.getColumn(14).getInt() != 0;
  e.target = bytes_of(row.getColumn(15));
  e.sha256 = bytes_of(row.getColumn(16));
  if (const auto listed = row.getColumn(17); !listed.isNull()) e.listed_mtime = listed.getInt64();
  e.attempts = row.getColumn(18).getUInt();
  e.retry_at = row.getColumn(19).getInt64();
  e.error = bytes_of(row.getColumn(20));
  if (const auto origin = row.getColumn(22); !origin.isNull()) e.origin = static_cast<inode>(origin.getInt64());
  e.set_mode = read_id(row.getColumn(23));
  if (const auto mtime = row.getColumn(24); !mtime.isNull()) e.set_mtime = mtime.getInt64();
  e.changed = row.getColumn(25).getInt64();
  e.reason = static_cast<reason>(row.getColumn(26).getInt());
  if (const auto compared = row.getColumn(28); !compared.isNull()) e.compared = compared.getInt64();
  return e;
}

void bind_entry(SQLite::Statement& statement, const entry& e) {
  e.ino == 0 ? statement.bind(1) : statement.bind(1, static_cast<std::int64_t>(e.ino));
  statement.bind(2, static_cast<std::int64_t>(e.parent));
  bind_bytes(statement, 3, e.name);
  statement.bind(4, e.is_directory() ? 1 : 0);
  statement.bind(5, static_cast<int>(e.state));
  statement.bind(6, e.day);
  bind_facts(statement, 7, e.source);
  bind_facts(statement, 10, e.local);
  bind_optional(statement, 13, e.uid);
  bind_optional(statement, 14, e.gid);
  statement.bind(15, e.fetched ? 1 : 0);
  bind_bytes_or_null(statement, 16, e.target);
  bind_bytes_or_null(statement, 17, e.sha256);
  bind_optional(statement, 18, e.listed_mtime);
  statement.bind(19, static_cast<std::int64_t>(e.attempts));
  e.retry_at == 0 ? statement.bind(20) : statement.bind(20, e.retry_at);
  e.error.empty() ? statement.bind(21) : statement.bindNoCopy(21, e.error);
  statement.bind(22, is_hidden(e.state) ? 1 : 0);
  bind_optional(statement, 23, e.origin);
  bind_optional(statement, 24, e.set_mode);
  bind_optional(statement, 25, e.set_mtime);
  statement.bind(26, e.changed);
  statement.bind(27, static_cast<int>(e.reason));
  e.local&& e.local->holes != 0 ? statement.bind(28, static_cast<std::int64_t>(e.local->holes)) : statement.bind(28);
  bind_optional(statement, 29, e.compared);
}

}  // namespace ferryfs::index
