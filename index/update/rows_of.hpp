#pragma once

#include <utility>
#include <vector>

#include "index/db/statements/read.hpp"

namespace ferryfs::index {

// All rows of a directory that `list` yields, for a caller that changes rows while it goes through them.
inline std::vector<entry> rows_of(list_children& list, inode directory) {
  std::vector<entry> rows;
  list(directory, "", [&](entry&& e) {
    rows.push_back(std::move(e));
    return true;
  });
  return rows;
}

}  // namespace ferryfs::index
