// Names of the source that can't stand here, by their paths: the directory's in the view, '/' and the name.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "index/db/reader.hpp"

namespace ferryfs::index {

struct refused_path {
  std::string path;
  inode directory;
  refused_name refused;
};

// The refused names that count, in the order of their paths' bytes.
std::vector<refused_path> refused_paths(reader& r);

// Calls `each` for those at or below `below`, and for the symbolic links there that are refused, each with its size, in
// the order of their paths' bytes; false stops it.
void list_refused(reader& r, std::string_view below,
                  const std::function<bool(std::string_view path, std::uint64_t size)>& each);

}  // namespace ferryfs::index
