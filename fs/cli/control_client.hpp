// Talking to a mounted archive through its .ferryfs/ files.
#pragma once

#include <string>

#include "fs/process/command_result.hpp"
#include "fs/report/status.hpp"
#include "index/base/error.hpp"

namespace ferryfs::fs {

// Writes one command into ROOT/.ferryfs/control and returns its answer. Throws ferryfs::error where there is none.
// `file`: "watch" takes commands while one that control took is running.
command_result ask(const std::string& root, const std::string& command, const std::string& file = "control");
// As `ask`; throws ferryfs::error with the answer's text where the command failed.
std::string send_command(const std::string& root, const std::string& command, const std::string& file = "control");

exit_code code_of(const command_result& a);

// A file of ROOT/.ferryfs/. Throws ferryfs::error (local) where it cannot be read.
std::string read_own_file(const std::string& root, const std::string& name);
json read_status(const std::string& root);

}  // namespace ferryfs::fs
