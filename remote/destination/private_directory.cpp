#include "remote/destination/private_directory.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "index/base/disk.hpp"
#include "index/base/error.hpp"
#include "index/base/path.hpp"
#include "remote/files/list_directory.hpp"

namespace ferryfs::remote {
namespace {

constexpr mode_t others = 0077;

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw error(exit_code::local, fmt::format("{}: {}", printable(path), why));
}

// Some file systems have one mode for all.
bool keeps_modes(int directory) {
  constexpr const char* name = "mode";
  struct stat st {};
  disk().unlinkat(directory, name, AT_REMOVEDIR);
  if (disk().mkdirat(directory, name, 0700) != 0) return true;
  const bool keeps = disk().fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || (st.st_mode & others) == 0;
  disk().unlinkat(directory, name, AT_REMOVEDIR);
  return keeps;
}

void check_owner(const struct stat& own, const struct stat& root, const std::string& path) {
  if (own.st_uid == ::geteuid() || own.st_uid == root.st_uid) return;
  refuse(path,
         fmt::format("belongs to user {}, neither to you nor to the destination's owner; if the archive is yours: "
                     "chown -R {}:{} {}",
                     own.st_uid, ::geteuid(), ::getegid(), printable(path)));
}

void check_mode(int fd, const struct stat& own, const std::string& path) {
  if ((own.st_mode & others) == 0 || !keeps_modes(fd)) return;
  refuse(path, fmt::format("users other than its owner may enter it; check that all in it is yours, then: chmod 700 {}",
                           printable(path)));
}

void check_links(int fd, const std::string& path) {
  std::string link;
  if (const int problem = list_directory(fd, "", [&](local_entry&& e) {
        if (S_ISLNK(e.attributes.st_mode)) link = e.name;
      }))
    refuse(path, fmt::format("{}; check its permissions", std::strerror(problem)));
  if (link.empty()) return;
  refuse(path + '/' + link, "is a symbolic link, which is not allowed there; remove it");
}

}  // namespace

unique_fd open_private(int root, const std::string& shown) {
  const std::string name{own_directory}, path = shown + '/' + name;
  struct stat own {
  }, above{};
  if (disk().fstatat(root, name.c_str(), &own, AT_SYMLINK_NOFOLLOW) != 0 || disk().fstat(root, &above) != 0)
    refuse(path, fmt::format("{}; check its permissions", std::strerror(errno)));
  if (!S_ISDIR(own.st_mode))
    refuse(path, "is not an ordinary directory of ferryfs; remove it, or choose another destination");
  check_owner(own, above, path);
  unique_fd fd{disk().openat(root, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)};
  if (!fd || disk().fstat(fd.get(), &own) != 0)
    refuse(path, fmt::format("{}; check its permissions", std::strerror(errno)));
  check_owner(own, above, path);
  check_mode(fd.get(), own, path);
  check_links(fd.get(), path);
  return fd;
}

void check_private(const std::string& destination) {
  const unique_fd root{disk().open(destination.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  struct stat st {};
  if (root && disk().fstatat(root.get(), std::string(own_directory).c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0)
    open_private(root.get(), destination);
}

}  // namespace ferryfs::remote
