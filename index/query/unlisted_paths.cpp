#include "index/query/unlisted_paths.hpp"

#include <algorithm>

namespace ferryfs::index {

std::vector<std::string> unlisted_paths(reader& r) {
  std::vector<inode> directories;
  r.unlisted_directories([&](unlisted&& u) { return directories.push_back(u.directory), true; });
  std::vector<std::string> paths;
  for (const inode d : directories)
    if (auto path = r.path(d)) paths.push_back(*std::move(path));
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace ferryfs::index
