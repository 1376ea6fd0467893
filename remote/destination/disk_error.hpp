// Errors of the destination's own directory: nothing can be kept there, so they end the program.
#pragma once

#include <fmt/format.h>

#include <cstring>
#include <string>

#include "index/base/error.hpp"
#include "index/base/path.hpp"

namespace ferryfs::remote {

// `problem`: an errno; `remedy`: what the operator is to do. Throws ferryfs::error (local).
[[noreturn]] inline void throw_disk_error(const std::string& path, int problem, const char* remedy) {
  throw error(exit_code::local, fmt::format("{}: {}; {}", printable(path), std::strerror(problem), remedy));
}

}  // namespace ferryfs::remote
