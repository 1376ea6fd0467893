// Resolves the symbolic links of a local path whose file system may not answer.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace ferryfs::remote {

// Absolute, and without "." or "..". Asks no file system.
std::string plain_path(const std::string& path);

// The path without symbolic links; nothing: its file system does not answer within `deadline`. Throws failure where no
// process can be started that asks.
std::optional<std::string> real_path_in_time(const std::string& path, std::chrono::milliseconds deadline);

}  // namespace ferryfs::remote
