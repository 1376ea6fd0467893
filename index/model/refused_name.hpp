// A name of the source that can't stand here: too long, empty, with a '/' or a zero byte, or of a kind that is no
// picture's. It is no row, since a row has a name; it counts until the source has it no more, or somebody accepts that.
#pragma once

#include <cstdint>
#include <string>

namespace ferryfs::index {

struct refused_name {
  std::string name;    // bytes, as they were sent
  std::string reason;  // in words
};

struct refusals {
  std::int64_t files;
};

}  // namespace ferryfs::index
