// Totals by state, over all and for each directory, kept in the transaction that changes the rows: status is O(1).
#pragma once

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <array>
#include <cstdint>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

#include "index/model/entry.hpp"

namespace ferryfs::index {

struct total {
  std::int64_t files = 0;
  std::int64_t source_bytes = 0;  // sum of the sizes on the source; 0 where it has none
  std::int64_t local_bytes = 0;
  total& operator+=(const total& o) {
    files += o.files, source_bytes += o.source_bytes, local_bytes += o.local_bytes;
    return *this;
  }
  bool operator==(const total&) const = default;
};

// Totals of all sets: what is not a directory, and directories apart.
struct totals {
  std::array<total, 12> files{};        // by state
  std::array<total, 12> directories{};  // by state
  const total& of(state s) const { return files[static_cast<std::size_t>(s)]; }
  // The source's pictures: all but those that are new here.
  total source() const;
  // The destination's pictures: common, new and in conflict.
  total destination() const;
  // Nothing is missing, failed, in conflict or refused, directories included.
  bool complete() const;
};

totals read_totals(SQLite::Database& database);
// The totals of one directory's own entries; nothing below its subdirectories.
totals read_totals(SQLite::Database& database, inode parent);

// The totals of one day, for a calendar.
struct day_total {
  std::int32_t day;  // YYYYMMDD
  totals sums;
};
// Every day that has a picture, the oldest first; what is deleted counts for its day as well.
std::vector<day_total> read_days(SQLite::Database& database);

// Gathers the differences that a transaction makes; `flush` writes them before its commit. The writer's thread.
class counter_deltas {
 public:
  explicit counter_deltas(SQLite::Database& database);
  void add(const entry& e) { count(e, 1); }
  void remove(const entry& e) { count(e, -1); }
  void flush();
  void forget();  // after a rollback

 private:
  // Totals under two keys of which the second is a state, as they stand in a table; rows that reach zero go.
  template <typename First>
  struct table {
    table(SQLite::Database& database, const char* name, const char* first);
    void flush();
    std::map<std::pair<First, state>, total> sums;
    SQLite::Statement write, sweep;
  };
  void count(const entry& e, std::int64_t sign);

  std::map<std::pair<state, bool>, total> all_;
  SQLite::Statement write_all_;
  table<inode> by_directory_;
  table<std::int32_t> by_day_;
};

}  // namespace ferryfs::index
