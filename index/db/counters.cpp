#include "index/db/counters.hpp"

#include <fmt/format.h>

#include "index/db/statements/row.hpp"

namespace ferryfs::index {

total totals::source() const {
  total sum;
  for (const state s : all_states)
    if (s != state::added) sum += of(s);
  return sum;
}

total totals::destination() const {
  total sum;
  for (const state s : {state::common, state::added, state::conflict}) sum += of(s);
  return sum;
}

bool totals::complete() const {
  for (const state s : {state::missing, state::failed, state::conflict, state::refused}) {
    const auto i = static_cast<std::size_t>(s);
    if (files[i].files != 0 || directories[i].files != 0) return false;
  }
  return true;
}

namespace {

totals read(SQLite::Statement query) {
  totals sums;
  while (query.executeStep()) {
    const auto s = static_cast<std::size_t>(query.getColumn(0).getInt());
    auto& where = query.getColumn(1).getInt() != 0 ? sums.directories : sums.files;
    if (s < where.size())
      where[s] += total{query.getColumn(2).getInt64(), query.getColumn(3).getInt64(), query.getColumn(4).getInt64()};
  }
  return sums;
}

}  // namespace

totals read_totals(SQLite::Database& database) {
  return read(SQLite::Statement{database, "SELECT state, directory, files, source_bytes, local_bytes FROM counter"});
}

totals read_totals(SQLite::Database& database, inode parent) {
  SQLite::Statement query{database,
                          "SELECT state, 0, files, source_bytes, local_bytes FROM directory_counter WHERE parent = ?1"};
  query.bind(1, static_cast<std::int64_t>(parent));
  return read(std::move(query));
}

std::vector<day_total> read_days(SQLite::Database& database) {
  SQLite::Statement query{database,
                          "SELECT day, state, files, source_bytes, local_bytes FROM day_counter ORDER BY day"};
  std::vector<day_total> days;
  while (query.executeStep()) {
    const auto day = static_cast<std::int32_t>(query.getColumn(0).getInt());
    const auto s = static_cast<std::size_t>(query.getColumn(1).getInt());
    if (days.empty() || days.back().day != day) days.push_back({day, {}});
    auto& files = days.back().sums.files;
    if (s < files.size())
      files[s] += total{query.getColumn(2).getInt64(), query.getColumn(3).getInt64(), query.getColumn(4).getInt64()};
  }
  return days;
}

namespace {

void write(SQLite::Statement& s, std::int64_t first, std::int64_t second, const total& t) {
  const statement_scope scope{s};
  s.bind(1, first);
  s.bind(2, second);
  s.bind(3, t.files);
  s.bind(4, t.source_bytes);
  s.bind(5, t.local_bytes);
  s.exec();
}

std::string adding_to(const char* name) {
  return fmt::format(
      "INSERT INTO {} VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET files = files + ?3, source_bytes = "
      "source_bytes + ?4, local_bytes = local_bytes + ?5",
      name);
}

}  // namespace

template <typename First>
counter_deltas::table<First>::table(SQLite::Database& database, const char* name, const char* first)
    : write(database, adding_to(name)),
      sweep(database, fmt::format("DELETE FROM {} WHERE {} = ?1 AND state = ?2 AND files = 0", name, first)) {}

template <typename First>
void counter_deltas::table<First>::flush() {
  for (const auto& [at, sum] : sums) {
    if (sum == total{}) continue;
    const auto first = static_cast<std::int64_t>(at.first);
    index::write(write, first, static_cast<int>(at.second), sum);
    if (sum.files >= 0) continue;
    const statement_scope scope{sweep};
    sweep.bind(1, first);
    sweep.bind(2, static_cast<int>(at.second));
    sweep.exec();
  }
}

counter_deltas::counter_deltas(SQLite::Database& database)
    : write_all_(database, adding_to("counter")),
      by_directory_(database, "directory_counter", "parent"),
      by_day_(database, "day_counter", "day") {}

void counter_deltas::count(const entry& e, std::int64_t sign) {
  const total t{sign, sign * static_cast<std::int64_t>(e.source ? e.source->size : 0),
                sign * static_cast<std::int64_t>(e.local ? e.local->size : 0)};
  if (e.ino == root_inode || e.state == state::moved || is_away(e.state)) return;
  const state set = counted_as(e.state);
  all_[{set, e.is_directory()}] += t;
  if (e.is_directory()) return;
  by_directory_.sums[{e.parent, set}] += t;
  by_day_.sums[{e.day, set}] += t;
}

void counter_deltas::flush() {
  for (const auto& [at, sum] : all_)
    if (sum != total{}) write(write_all_, static_cast<int>(at.first), at.second ? 1 : 0, sum);
  by_directory_.flush();
  by_day_.flush();
  forget();
}

void counter_deltas::forget() {
  all_.clear();
  by_directory_.sums.clear();
  by_day_.sums.clear();
}

}  // namespace ferryfs::index
