#include "index/counters.hpp"

#include "index/statements/row.hpp"

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
  for (const state s : {state::missing, state::failed, state::conflict}) {
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

ledger::ledger(SQLite::Database& database)
    : write_all_(database,
                 "INSERT INTO counter VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET files = files + ?3, "
                 "source_bytes = source_bytes + ?4, local_bytes = local_bytes + ?5"),
      write_directory_(database,
                       "INSERT INTO directory_counter VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET files = "
                       "files + ?3, source_bytes = source_bytes + ?4, local_bytes = local_bytes + ?5"),
      sweep_directory_(database, "DELETE FROM directory_counter WHERE parent = ?1 AND state = ?2 AND files = 0") {}

void ledger::count(const entry& e, std::int64_t sign) {
  const total t{sign, sign * static_cast<std::int64_t>(e.source ? e.source->size : 0),
                sign * static_cast<std::int64_t>(e.local ? e.local->size : 0)};
  if (e.ino == root_inode || e.state == state::moved) return;
  const state set = e.state == state::shadowed ? state::conflict : e.state;
  all_[{set, e.is_directory()}] += t;
  if (!e.is_directory()) by_directory_[{e.parent, set}] += t;
}

void ledger::write(SQLite::Statement& s, std::int64_t first, std::int64_t second, const total& t) {
  const running scope{s};
  s.bind(1, first);
  s.bind(2, second);
  s.bind(3, t.files);
  s.bind(4, t.source_bytes);
  s.bind(5, t.local_bytes);
  s.exec();
}

void ledger::flush() {
  for (const auto& [at, sum] : all_)
    if (sum != total{}) write(write_all_, static_cast<int>(at.first), at.second ? 1 : 0, sum);
  for (const auto& [at, sum] : by_directory_) {
    if (sum == total{}) continue;
    const auto parent = static_cast<std::int64_t>(at.first);
    write(write_directory_, parent, static_cast<int>(at.second), sum);
    if (sum.files < 0) {
      const running scope{sweep_directory_};
      sweep_directory_.bind(1, parent);
      sweep_directory_.bind(2, static_cast<int>(at.second));
      sweep_directory_.exec();
    }
  }
  forget();
}

void ledger::forget() {
  all_.clear();
  by_directory_.clear();
}

}  // namespace ferryfs::index
