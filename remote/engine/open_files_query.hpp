// Questions about the files open in the mount, for decisions about a picture's bytes. Without a mount none is open.
#pragma once

#include <cstddef>
#include <functional>

#include "index/model/entry.hpp"

namespace ferryfs::remote {

struct open_files_query {
  // Open for writing, or written and not yet in the index so.
  std::function<bool(inode)> is_written = [](inode) { return false; };
  // Handles that have it open read on from what the index now says it is.
  std::function<void(inode)> reopen = [](inode) {};
  // How many pictures are open for writing.
  std::function<std::size_t()> count_written = [] { return std::size_t{0}; };
  // Open by anybody.
  std::function<bool(inode)> is_open = [](inode) { return false; };
};

}  // namespace ferryfs::remote
