// Long work, and a line drawn of how far it is until it ends.
#pragma once

#include <functional>
#include <future>
#include <string>

#include "fs/process/command_result.hpp"

namespace ferryfs::fs {

// Shows what `line` says, where that is not empty. Blocks until there is a result.
command_result with_progress(std::future<command_result> end, const std::function<std::string()>& line);

// The mounted archive ROOT does it: `command` begins with `verb`, push or verify. SIGINT, SIGTERM and SIGHUP end it
// there, and its answer says so. EBUSY where one runs already. Throws ferryfs::error as `ask`.
command_result ask_with_progress(const std::string& root, const std::string& verb, const std::string& command);

}  // namespace ferryfs::fs
