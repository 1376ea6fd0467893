#include "fs/cli/output.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "index/base/error.hpp"

namespace ferryfs::fs {

bool output::add(std::string_view text) {
  held_.append(text);
  if (held_.size() >= 64 << 10) finish();
  return wanted_;
}

void output::finish() {
  std::string_view left = held_;
  while (wanted_ && !left.empty()) {
    const ssize_t n = ::write(STDOUT_FILENO, left.data(), left.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EPIPE) wanted_ = false;
    if (n < 0 && errno != EPIPE)
      throw error(exit_code::local, fmt::format("standard output: {}; the list is incomplete", std::strerror(errno)));
    if (n > 0) left.remove_prefix(static_cast<std::size_t>(n));
  }
  held_.clear();
}

}  // namespace ferryfs::fs
