// PATH of the commands: a destination, a mountpoint, or anything below one.
#pragma once

#include <string>

namespace ferryfs::fs {

struct located {
  std::string root;      // of the archive: the mountpoint if it is mounted, else the destination
  std::string relative;  // what PATH names below it; empty: the archive itself
  bool mounted;          // reached through root/.ferryfs/control and status.json
};

// Throws ferryfs::error (usage) where PATH is in no archive.
located locate(const std::string& path);

}  // namespace ferryfs::fs
