#pragma once

#include <string>

namespace ferryfs::fs {

// How an operator's command ended, here or in the mount.
struct command_result {
  int error = 0;     // errno, or 0; EIO: done, but something remains
  std::string text;  // lines, each with its newline; at most what control_client reads
};

}  // namespace ferryfs::fs
