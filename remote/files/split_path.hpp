#pragma once

#include <string>
#include <utility>

namespace ferryfs {

// A path relative to a root as its directory, "" for the root itself, and its last name.
inline std::pair<std::string, std::string> split_path(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return {"", path};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

}  // namespace ferryfs
