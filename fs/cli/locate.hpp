// PATH of the commands: a destination, a mountpoint, or anything below one.
#pragma once

#include <string>

namespace ferryfs::fs {

struct archive_location {
  std::string root;      // of the archive: the mountpoint if it is mounted, else the destination
  std::string relative;  // what PATH names below it; empty: the archive itself
  bool mounted;          // reached through root/.ferryfs/control and status.json
};

// Throws ferryfs::error (usage) where PATH is in no archive.
archive_location locate(const std::string& path);

}  // namespace ferryfs::fs
