// A picture that left the source before it was fetched: neither side has it any more, and it stays listed as lost.
#pragma once

#include <cstdint>
#include <string>

namespace ferryfs::index {

struct lost_picture {
  std::string path;      // in the view
  std::uint64_t size;    // bytes, as the source last showed it
  std::int64_t mtime;    // nanoseconds since 1970, as the source last showed it
  std::int64_t noticed;  // seconds since 1970: the scan that missed it
};

struct lost_totals {
  std::int64_t files, bytes;
};

}  // namespace ferryfs::index
