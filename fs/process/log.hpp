// Where log lines go: to stderr in the foreground, to .ferryfs/log of a daemon, to both of a sync. May be changed while
// others log.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace ferryfs::fs {

void log_to_stderr(const std::string& level);
// Keeps three files of 1 MiB: `path`, and those before it as log_names tells. Throws ferryfs::error (local).
void log_to_file(const std::string& path, const std::string& level);
// Besides where they go already. Where the file can't be had, that is said there, and nothing else follows from it.
void also_log_to_file(const std::string& path, const std::string& level);

// How a log's files are called, the newest first.
inline constexpr std::array<std::string_view, 3> log_names{"log", "log.1", "log.2"};

}  // namespace ferryfs::fs
