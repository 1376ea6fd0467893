#include "remote/files/list_directory.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "index/base/path.hpp"
#include "remote/files/beneath.hpp"

namespace ferryfs {
namespace {

struct closer {
  void operator()(DIR* d) const noexcept { ::closedir(d); }
};

}  // namespace

bool look_at(int directory, const std::string& name, local_entry& entry) {
  if (::fstatat(directory, name.c_str(), &entry.attributes, AT_SYMLINK_NOFOLLOW) != 0) return false;
  const mode_t kind = entry.attributes.st_mode & S_IFMT;
  entry.name = name;
  entry.target.clear();
  if (kind == S_IFLNK) {
    char target[4096];
    const ssize_t n = ::readlinkat(directory, name.c_str(), target, sizeof target);
    if (n < 0) return false;
    entry.target.assign(target, static_cast<std::size_t>(n));
  }
  return true;
}

int list_directory(int root, const std::string& path, const std::function<void(local_entry&&)>& each,
                   std::string* unreadable, const std::function<void(const char*)>& looks) {
  unique_fd fd = open_beneath(root, path, O_RDONLY | O_DIRECTORY);
  if (!fd) return errno;
  const std::unique_ptr<DIR, closer> stream{::fdopendir(fd.get())};
  if (!stream) return errno;
  const int directory = fd.release();
  int problem = 0;
  while (true) {
    errno = 0;
    const dirent* d = ::readdir(stream.get());
    if (d == nullptr) return errno != 0 ? errno : problem;
    local_entry entry;
    if (!valid_name(d->d_name)) continue;
    if (looks) looks(d->d_name);
    const int failed = look_at(directory, d->d_name, entry) ? 0 : errno;
    if (looks) looks("");
    if (failed == 0) {
      each(std::move(entry));
    } else if (failed != ENOENT && problem == 0) {
      problem = failed;
      if (unreadable != nullptr) *unreadable = d->d_name;
    }
  }
}

}  // namespace ferryfs
