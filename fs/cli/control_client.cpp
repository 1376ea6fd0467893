#include "fs/cli/control_client.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "index/base/error.hpp"
#include "index/base/path.hpp"
#include "remote/files/unique_fd.hpp"

namespace ferryfs::fs {

command_result ask(const std::string& root, const std::string& command, const std::string& file) {
  const std::string path = fmt::format("{}/{}/{}", root, own_directory, file);
  const unique_fd fd{::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW)};
  if (!fd)
    throw error(exit_code::local,
                fmt::format("{}: {}; run as the user who mounted it", printable(path), std::strerror(errno)));
  const std::string line = command + '\n';
  const ssize_t written = ::write(fd.get(), line.data(), line.size());
  command_result a{written < 0 ? errno : 0, ""};
  char text[8192];
  const ssize_t n = ::pread(fd.get(), text, sizeof text, 0);
  a.text.assign(text, static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
  while (a.text.ends_with('\n')) a.text.pop_back();
  if (a.text.empty() && a.error != 0) a.text = fmt::format("{}: {}", printable(path), std::strerror(a.error));
  return a;
}

exit_code code_of(const command_result& a) {
  return a.error == 0           ? exit_code::complete
         : a.error == EINVAL    ? exit_code::usage
         : a.error == EHOSTDOWN ? exit_code::source
         : a.error == EIO       ? exit_code::incomplete
                                : exit_code::local;
}

std::string send_command(const std::string& root, const std::string& command, const std::string& file) {
  const command_result a = ask(root, command, file);
  if (a.error != 0) throw error(code_of(a), a.text);
  return a.text;
}

std::string read_own_file(const std::string& root, const std::string& name) {
  const std::string path = fmt::format("{}/{}/{}", root, own_directory, name);
  std::ifstream in{path};
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (text.empty())
    throw error(exit_code::local, fmt::format("{}: cannot be read; is the mount alive?", printable(path)));
  return text;
}

json read_status(const std::string& root) {
  const std::string text = read_own_file(root, "status.json");
  try {
    return json::parse(text);
  } catch (const json::exception&) {
    throw error(exit_code::local,
                fmt::format("{}/{}/status.json: not valid JSON; was it mounted by another version of ferryfs?",
                            printable(root), own_directory));
  }
}

}  // namespace ferryfs::fs
