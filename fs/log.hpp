// Where log lines go: to stderr in the foreground, to .ferryfs/log of a daemon.
#pragma once

#include <string>

namespace ferryfs::fs {

void log_to_stderr(const std::string& level);
// Keeps three files of 1 MiB.
void log_to_file(const std::string& path, const std::string& level);

}  // namespace ferryfs::fs
