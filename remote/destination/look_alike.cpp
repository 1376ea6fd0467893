#include "remote/destination/look_alike.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "index/base/disk.hpp"
#include "index/base/path.hpp"
#include "remote/files/beneath.hpp"
#include "remote/files/list_directory.hpp"

namespace ferryfs::remote {

std::optional<std::string> look_alike(int directory, const std::string& name) {
  struct stat st {};
  if (disk().fstatat(directory, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) return std::nullopt;
  bool itself = false;
  std::string other = name;
  list_directory(directory, "", [&](local_entry&& e) {
    itself = itself || e.name == name;
    if (e.attributes.st_ino == st.st_ino && e.attributes.st_dev == st.st_dev) other = e.name;
  });
  return itself || other == name ? std::nullopt : std::optional(other);
}

std::optional<std::string> look_alike_in(int root, const std::string& path) {
  for (std::size_t from = 0; from < path.size();) {
    const std::size_t slash = std::min(path.find('/', from), path.size());
    const std::string above = from == 0 ? "" : path.substr(0, from - 1);
    const unique_fd directory = open_beneath(root, above, O_PATH | O_DIRECTORY);
    if (!directory) return std::nullopt;
    if (const auto other = look_alike(directory.get(), path.substr(from, slash - from))) return join(above, *other);
    from = slash + 1;
  }
  return std::nullopt;
}

}  // namespace ferryfs::remote
