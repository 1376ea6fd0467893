// The file that --config names.
#pragma once

#include <string>
#include <vector>

namespace ferryfs::fs {

// The arguments of a command line, with the options of the file that its --config names behind the command's name,
// unless the command line has them itself. Throws ferryfs::error (usage) where the file can't be read, and CLI::Error
// where it is no TOML.
std::vector<std::string> with_config(std::vector<std::string> args);

}  // namespace ferryfs::fs
