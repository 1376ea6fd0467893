#include "fs/progress.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>

namespace ferryfs::fs {
namespace {

constexpr auto plain_interval = std::chrono::seconds(10);

std::size_t columns() {
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

progress::progress() : terminal_(::isatty(STDOUT_FILENO) == 1) {}

void progress::show(const std::string& line) {
  const auto now = std::chrono::steady_clock::now();
  if (terminal_) {
    std::printf("\r%.*s\x1b[K", static_cast<int>(columns()), line.c_str());
    drawn_ = true;
  } else if (now - last_ >= plain_interval) {
    std::printf("%s\n", line.c_str());
    last_ = now;
  }
  std::fflush(stdout);
}

progress::~progress() {
  if (drawn_) std::printf("\n");
  std::fflush(stdout);
}

}  // namespace ferryfs::fs
