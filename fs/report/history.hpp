// The reports of an archive, in .ferryfs/reports/: TIME-NUMBER.json (report.hpp), and beside each TIME-NUMBER.SET.gz,
// the sorted lines (index/model/list_line.hpp) of what was missing, and of the sets new, conflict, deleted, skipped,
// failed and lost where they held anything. The set common is the source but for these; its list is not kept.
//
// A report counts as there once its .json is: that is named last, after all of it is durable. Threads and processes:
// any; writers take the directory's lock.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fs/report/gzip.hpp"
#include "fs/report/report.hpp"

namespace ferryfs::fs {

inline constexpr unsigned reports_kept = 100;  // --keep-reports

// The name of a report without its end, and the number in it.
struct report_name {
  std::string stem;  // 20261124T134500Z-1
  unsigned number;
};
std::optional<report_name> parse_report_name(std::string_view stem);

class history {
 public:
  // `directory` is .ferryfs/reports; `shown` is how messages name it.
  history(std::string directory, std::string shown);

  // Oldest first; empty where there are none.
  std::vector<report_name> names() const;
  // The name of report number `n`. Throws ferryfs::error (usage) where there is none.
  report_name find(unsigned n) const;
  // Throws ferryfs::error (local) where the file is damaged.
  json read(const report_name& which) const;
  // The lines of a set as it was then. Nothing: it was empty. Throws ferryfs::error (usage) for a set that is not kept.
  std::optional<gzip_lines> list(const report_name& which, std::string_view set) const;

  // Makes a report of what the index holds, and removes what is too much: `keep` stay. Nothing: the job was automatic,
  // and the latest report found the same. Throws ferryfs::error (local).
  std::optional<json> record(index::reader& r, const job& j, unsigned keep);

 private:
  std::string path(const std::string& name) const { return directory_ + '/' + name; }
  bool is_known(const json& report) const;
  void write_lists(index::reader& r, const std::string& stem);
  void remove(const std::string& stem);
  void remove_leftovers();
  void prune(unsigned keep);

  std::string directory_, shown_;
};

// The report that a prune removes first, as the place in `times` (seconds, oldest first) of one that may go: automatic
// reports thin out the more the older they are; where there are none, the oldest. The newest stays.
struct kept_report {
  std::int64_t time;
  bool automatic;
};
std::size_t next_to_go(const std::vector<kept_report>& reports);

}  // namespace ferryfs::fs
