// Directories of the source that could not be listed: what is in them is not known, or not as it is now.
#pragma once

#include <string>
#include <vector>

#include "index/entry.hpp"

namespace ferryfs::index {

struct unlisted {
  inode directory;
  bool denied;       // for want of a permission
  std::string text;  // why, one line; empty: no scan has come by it yet
  bool accepted;     // by `ferryfs skip`
};

class reader;
// The paths of those of which nobody accepted it, sorted.
std::vector<std::string> unlisted_paths(reader& r);

}  // namespace ferryfs::index
