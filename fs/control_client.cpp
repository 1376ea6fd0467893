#include "fs/control_client.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "index/error.hpp"
#include "index/path.hpp"
#include "remote/unique_fd.hpp"

namespace ferryfs::fs {

std::string send_command(const std::string& root, const std::string& command) {
  const std::string path = fmt::format("{}/{}/control", root, own_directory);
  const unique_fd fd{::open(path.c_str(), O_RDWR | O_CLOEXEC)};
  if (!fd)
    throw error(exit_code::local,
                fmt::format("{}: {}; run as the user who mounted it", printable(path), std::strerror(errno)));
  const ssize_t written = ::write(fd.get(), command.data(), command.size());
  const int problem = written < 0 ? errno : 0;
  char text[8192];
  const ssize_t n = ::pread(fd.get(), text, sizeof text, 0);
  std::string answer{text, static_cast<std::size_t>(std::max<ssize_t>(n, 0))};
  while (answer.ends_with('\n')) answer.pop_back();
  if (problem == 0) return answer;
  const exit_code code = problem == EINVAL      ? exit_code::usage
                         : problem == EHOSTDOWN ? exit_code::source
                         : problem == EIO       ? exit_code::incomplete
                                                : exit_code::local;
  throw error(code, answer.empty() ? fmt::format("{}: {}", printable(path), std::strerror(problem)) : answer);
}

json read_status(const std::string& root) {
  const std::string path = fmt::format("{}/{}/status.json", root, own_directory);
  std::ifstream in{path};
  try {
    return json::parse(in);
  } catch (const json::exception&) {
    throw error(exit_code::local, fmt::format("{}: cannot be read; is the mount alive?", printable(path)));
  }
}

}  // namespace ferryfs::fs
