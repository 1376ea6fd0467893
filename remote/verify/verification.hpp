// What the last verify of the whole archive found, as the index remembers it: one that compared with the source, and
// one that did not (meta keys `verified_source` and `verified`).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "index/transaction.hpp"

namespace ferryfs::remote {

struct verification {
  std::int64_t begun = 0;    // seconds since 1970
  std::uint64_t common = 0;  // pictures of both sides that were compared with the source's own digest
  std::uint64_t files = 0;   // pictures that are as they should be
  std::uint64_t wrong = 0;   // pictures that are not, or that could not be compared
  bool with_source = false;
  std::uint64_t arrivals = 0;  // when it began
  bool operator==(const verification&) const = default;
};

void write_verification(index::transaction& t, const verification& v);
// Nothing: never verified so, or by a version that wrote something else.
std::optional<verification> read_verification(index::get_meta& meta, bool with_source);

}  // namespace ferryfs::remote
