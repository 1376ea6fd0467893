#include "remote/files/list_directory.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "index/base/disk.hpp"
#include "index/base/path.hpp"
#include "remote/files/beneath.hpp"

namespace ferryfs {
bool look_at(int directory, const std::string& name, local_entry& entry) {
  if (disk().fstatat(directory, name.c_str(), &entry.attributes, AT_SYMLINK_NOFOLLOW) != 0) return false;
  const mode_t kind = entry.attributes.st_mode & S_IFMT;
  entry.name = name;
  entry.target.clear();
  if (kind == S_IFLNK) {
    char target[4096];
    const ssize_t n = disk().readlinkat(directory, name.c_str(), target, sizeof target);
    if (n < 0) return false;
    entry.target.assign(target, static_cast<std::size_t>(n));
  }
  return true;
}

int list_directory(int root, const std::string& path, const std::function<void(local_entry&&)>& each,
                   std::string* unreadable, const std::function<void(const char*)>& looks) {
  const unique_fd directory = open_beneath(root, path, O_RDONLY | O_DIRECTORY);
  if (!directory) return errno;
  int problem = 0;
  const int end = disk().list(directory.get(), [&](const char* name) {
    local_entry entry;
    if (!valid_name(name)) return true;
    if (looks) looks(name);
    const int failed = look_at(directory.get(), name, entry) ? 0 : errno;
    if (looks) looks("");
    if (failed == 0) {
      each(std::move(entry));
    } else if (failed != ENOENT && problem == 0) {
      problem = failed;
      if (unreadable != nullptr) *unreadable = name;
    }
    return true;
  });
  return end != 0 ? end : problem;
}

}  // namespace ferryfs
