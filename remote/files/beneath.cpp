#include "remote/files/beneath.hpp"

#include <fcntl.h>
#include <linux/limits.h>

#include "index/base/disk.hpp"
#include "remote/files/split_path.hpp"

namespace ferryfs {

unique_fd open_beneath(int directory, const std::string& path, int flags, unsigned mode) noexcept {
  // A file deeper than a path can be is reached over a directory on the way.
  if (path.size() >= PATH_MAX) {
    const auto slash = path.rfind('/', PATH_MAX - 1);
    const auto above =
        slash == std::string::npos ? unique_fd{} : open_beneath(directory, path.substr(0, slash), O_PATH | O_DIRECTORY);
    if (above) return open_beneath(above.get(), path.substr(slash + 1), flags, mode);
    if (slash != std::string::npos) return {};
  }
  return unique_fd{disk().open_beneath(directory, path.empty() ? "." : path.c_str(), flags | O_CLOEXEC, mode)};
}

std::string proc_path(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

parent_of open_parent(int directory, const std::string& path) noexcept {
  auto [above, name] = split_path(path);
  return {open_beneath(directory, above, O_PATH | O_DIRECTORY), std::move(name)};
}

}  // namespace ferryfs
