// Whether the old server can be switched off: what is known, and what follows from it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "index/db/counters.hpp"
#include "remote/engine/migration/migration.hpp"
#include "remote/engine/open_files_query.hpp"
#include "remote/engine/verify/verifier.hpp"

namespace ferryfs::fs {

struct readiness {
  index::totals totals;
  std::size_t being_written = 0;              // pictures open for writing in the mount
  std::int64_t unlisted = 0;                  // directories of the source's that are not listed
  std::vector<std::string> unlisted_because;  // the first few of them, and why not
  std::string suspicious;                     // why the source is not believed
  std::vector<std::string> failed;            // what else went wrong in the last scan; the first few
  std::int64_t now = 0;                       // this and all other times in seconds since 1970
  std::optional<std::int64_t> last_scan;
  std::int64_t rescan = 0;  // seconds between scans; 0: none by itself
  bool reachable = true;
  std::string why;               // not
  std::uint64_t uncompared = 0;  // pictures of both sides whose digests were not compared as they stand now
  std::int64_t refused = 0;      // names of the source that can't be stored here
  std::int64_t lost = 0;         // pictures that left the source before they were fetched
};

struct verdict {
  std::vector<std::string> reasons;  // against it, one line each: what, and what to do
  std::vector<std::string> notes;    // what is no reason, but to be known
  bool go() const noexcept { return reasons.empty(); }
};

readiness facts_of(remote::migration& m, const remote::open_files_query& open);
verdict judge(const readiness& r);

// Looks before it judges: lists all of the source, compares the digests of what was not compared as it stands now, and
// makes durable what is here. `m` was started. Stopped, or where a look failed, the verdict says so. Blocks.
verdict look_and_judge(remote::migration& m, const remote::open_files_query& open, remote::verify_progress& progress,
                       const std::stop_token& stop);
// "go" or "no-go", then a line each.
std::string text_of(const verdict& v);
nlohmann::ordered_json json_of(const verdict& v);
// The same of a verdict by the index alone (`ready --quick`). The index does not show what has changed since, so these
// never say "go".
std::string quick_text_of(const verdict& v);
nlohmann::ordered_json quick_json_of(const verdict& v);

// As many of the lines as fit in `most` bytes, then how many do not.
std::string within(const std::string& lines, std::size_t most);

}  // namespace ferryfs::fs
