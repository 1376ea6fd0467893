// The directory of a path in the fake archive's tree.
#pragma once

#include <string>

namespace ferryfs::test {

// "" for what stands in the root.
inline std::string parent_path(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

}  // namespace ferryfs::test
