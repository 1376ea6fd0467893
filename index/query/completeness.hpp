// Whether an archive is complete: the one meaning of the word, for status, sync, ready, metrics and the dashboard.
#pragma once

#include <cstdint>
#include <string>

#include "index/db/reader.hpp"

namespace ferryfs::index {

struct completeness {
  totals sums;
  bool listed = false;             // a scan of the source has come to its end
  std::int64_t unlisted = 0;       // directories that could not be listed, or never were
  std::int64_t refused_names = 0;  // names of the source that can't stand here
  std::string suspicious;          // why the source is not believed; empty: it is
  // A full listing has ended, and nothing is missing, failed, in conflict, refused, suspicious or unlisted; what is
  // skipped or deleted does not count.
  bool complete() const {
    return listed && unlisted == 0 && refused_names == 0 && suspicious.empty() && sums.complete();
  }
};

completeness read_completeness(reader& r);

// The key in `meta` of why the source is not believed.
inline constexpr const char* suspicious_key = "suspicious";

}  // namespace ferryfs::index
