#include "remote/files/beneath.hpp"

#include <fcntl.h>
#include <linux/limits.h>
#include <linux/openat2.h>
#include <sys/syscall.h>

namespace ferryfs {

unique_fd open_beneath(int directory, const std::string& path, int flags, unsigned mode) noexcept {
  // What lies deeper than a path can be is reached over a directory on the way.
  if (path.size() >= PATH_MAX) {
    const auto slash = path.rfind('/', PATH_MAX - 1);
    const auto above =
        slash == std::string::npos ? unique_fd{} : open_beneath(directory, path.substr(0, slash), O_PATH | O_DIRECTORY);
    if (above) return open_beneath(above.get(), path.substr(slash + 1), flags, mode);
    if (slash != std::string::npos) return {};
  }
  open_how how{};
  how.flags = static_cast<unsigned>(flags) | O_CLOEXEC;
  how.mode = mode;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
  const char* name = path.empty() ? "." : path.c_str();
  return unique_fd{static_cast<int>(::syscall(SYS_openat2, directory, name, &how, sizeof how))};
}

std::string proc_path(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

parent_of open_parent(int directory, const std::string& path) noexcept {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return {open_beneath(directory, "", O_PATH | O_DIRECTORY), path};
  return {open_beneath(directory, path.substr(0, slash), O_PATH | O_DIRECTORY), path.substr(slash + 1)};
}

}  // namespace ferryfs
