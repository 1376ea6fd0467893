// A report: what a scan, a sync or a look at the index found, in less than 3.9 KB of JSON whatever the archive holds.
#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "index/db/reader.hpp"

namespace ferryfs::fs {

using json = nlohmann::ordered_json;
using wall_clock = std::chrono::system_clock;

inline constexpr std::size_t largest_report = 3900;  // bytes

// The job that a report is about, as far as the index does not know it.
struct job {
  std::string name;        // scan, sync, report, push
  std::string status;      // complete, incomplete, interrupted, failed; empty: as the index has it
  bool back = false;       // from the destination to the source
  bool automatic = false;  // nobody asked for it: it leaves no report if it found nothing new
  wall_clock::time_point begun, ended;
  std::uint64_t files = 0, bytes = 0;  // that were moved since `moved_since`
  wall_clock::time_point moved_since;
  std::vector<std::string> errors;  // the worst first
  std::string source, destination;  // as the user knows them
};

// Files are counted by kind, in the names that the users of the archive know; a picture that is missing on the source
// is in the set `new`. `fingerprint` is the same for two reports that found the same.
json make_report(index::reader& r, const job& j, unsigned number);

// The report's file: one line for each part. Texts are cut, and the last errors left out, until it fits.
std::string report_file(json report);

// 2026-11-24T13:45:00Z.
std::string utc_text(wall_clock::time_point t);

// A report for people: one line for a list of reports, and all of it.
std::string report_line(const json& report);
std::string report_text(const json& report);

}  // namespace ferryfs::fs
