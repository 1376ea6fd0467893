// A directory of the source that could not be listed: what is in it is not known, or not as it is now.
#pragma once

#include <string>

#include "index/model/entry.hpp"

namespace ferryfs::index {

struct unlisted {
  inode directory;
  bool denied;       // for want of a permission
  std::string text;  // why, one line; empty: no scan has come by it yet
  bool accepted;     // by `ferryfs skip`
};

}  // namespace ferryfs::index
