// Adds the commands and their options to the parser, which is CLI11's.
#pragma once

#include <cstdint>
#include <string>

#include "fs/cli/arguments.hpp"

namespace CLI {
class App;
}

namespace ferryfs::fs {

// Options that CLI11 takes as text and the commands want as numbers.
struct raw_options {
  std::string limit, min_free, umask, wait, config, format = "text", links = "inside";
  unsigned id = 0;
  std::uint64_t io_timeout = 30, rescan = 300, quiet = 10;
  std::uint32_t uid = 0, gid = 0;
};

// Every command with its options, whose values CLI11 puts into `a` and `r`; both outlive the parsing.
void add_commands(CLI::App& app, arguments& a, raw_options& r);

// Of mount and sync.
void add_archive_options(CLI::App& command, arguments& a, raw_options& r);
// Of mount alone.
void add_mount_options(CLI::App& command, arguments& a, raw_options& r);

}  // namespace ferryfs::fs
