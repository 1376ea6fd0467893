#include "tests/simulation/index_check.hpp"

#include <sqlite3.h>

#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <vector>

#include "tests/simulation/model.hpp"

namespace ferryfs::test {
namespace {

struct closer {
  void operator()(sqlite3* d) const noexcept { sqlite3_close(d); }
  void operator()(sqlite3_stmt* s) const noexcept { sqlite3_finalize(s); }
};

class database {
 public:
  explicit database(const std::string& path) {
    sqlite3* opened = nullptr;
    const int code = sqlite3_open_v2(path.c_str(), &opened, SQLITE_OPEN_READWRITE, nullptr);
    of_.reset(opened);
    if (code != SQLITE_OK) throw std::runtime_error("the index cannot be opened");
  }
  // Each row, as text; "" for NULL.
  void query(const char* sql, const std::function<void(const std::vector<std::string>&)>& each) {
    sqlite3_stmt* made = nullptr;
    if (sqlite3_prepare_v2(of_.get(), sql, -1, &made, nullptr) != SQLITE_OK)
      throw std::runtime_error(sqlite3_errmsg(of_.get()));
    const std::unique_ptr<sqlite3_stmt, closer> s{made};
    while (sqlite3_step(s.get()) == SQLITE_ROW) {
      std::vector<std::string> row;
      for (int i = 0; i < sqlite3_column_count(s.get()); ++i) {
        const auto* const bytes = static_cast<const char*>(sqlite3_column_blob(s.get(), i));
        row.emplace_back(
            bytes != nullptr ? std::string(bytes, static_cast<std::size_t>(sqlite3_column_bytes(s.get(), i))) : "");
      }
      each(row);
    }
  }

 private:
  std::unique_ptr<sqlite3, closer> of_;
};

using counts = std::map<std::string, std::string>;

counts read(database& d, const char* sql) {
  counts all;
  d.query(sql, [&](const auto& row) { all[row[0]] = row[1]; });
  return all;
}

class paths {
 public:
  explicit paths(database& d) {
    d.query("SELECT ino, parent, name FROM entry", [&](const auto& row) { names_[row[0]] = {row[1], row[2]}; });
  }
  std::string of(std::string inode) const {
    std::string full;
    for (int depth = 0; inode != "1" && depth < 64; ++depth) {
      const auto at = names_.find(inode);
      if (at == names_.end()) break;
      full = full.empty() ? at->second.second : at->second.second + '/' + full;
      inode = at->second.first;
    }
    return full;
  }

 private:
  std::map<std::string, std::pair<std::string, std::string>> names_;  // by inode: parent, name
};

std::string index_path() { return std::string("/") + destination_name + "/.ferryfs/index.db"; }

}  // namespace

std::set<std::string> conflicts_of_index() {
  database d{index_path()};
  const paths all{d};
  std::set<std::string> found;
  d.query("SELECT ino FROM entry WHERE state IN (4, 9)", [&](const auto& row) { found.insert(all.of(row[0])); });
  return found;
}

std::optional<std::string> contradiction_of_index(const memory_disk& disk) {
  if (!disk.content(index_path())) return "there is no index";
  database d{index_path()};
  std::optional<std::string> why;
  d.query("PRAGMA integrity_check", [&](const auto& row) {
    if (row[0] != "ok") why = "the index is damaged: " + row[0];
  });
  if (why) return why;
  const std::string counted_as = "CASE state WHEN 9 THEN 4 WHEN 10 THEN 5 ELSE state END";
  const auto kept = read(d,
                         "SELECT state || '/' || directory, files || ' ' || source_bytes || ' ' || local_bytes FROM "
                         "counter WHERE files <> 0");
  const auto recount =
      read(d, ("SELECT s || '/' || directory, count(*) || ' ' || coalesce(sum(source_size), 0) || ' ' || "
               "coalesce(sum(local_size), 0) FROM (SELECT *, " +
               counted_as + " AS s FROM entry) WHERE ino <> 1 AND state NOT IN (8, 12, 13) GROUP BY s, directory")
                  .c_str());
  if (kept != recount) {
    std::string text = "the counters are not what a recount gives:";
    for (const auto& [key, sums] : kept) text += " kept " + key + ": " + sums + ";";
    for (const auto& [key, sums] : recount) text += " counted " + key + ": " + sums + ";";
    return text;
  }
  d.query("SELECT name, state FROM entry WHERE ino <> 1 AND parent <> 0 AND parent NOT IN (SELECT ino FROM entry)",
          [&](const auto& row) {
            why = row[0] + ", of state " + row[1] + ", stands in a directory that the index does not have";
          });
  if (why) return why;
  const paths all{d};
  d.query(
      "SELECT ino, local_size FROM entry WHERE state IN (1, 3, 4) AND directory = 0 AND hidden = 0 AND local_size IS "
      "NOT NULL",
      [&](const auto& row) {
        const std::string full = all.of(row[0]);
        const auto content = disk.content(std::string(destination_name) + '/' + full);
        if (!why && (!content || std::to_string(content->size()) != row[1]))
          why = "the index says that " + full + " is here with " + row[1] + " bytes, and the disk has " +
                (content ? std::to_string(content->size()) : "nothing");
      });
  return why;
}

}  // namespace ferryfs::test
