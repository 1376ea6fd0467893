#include "fs/mount/kernel/mountpoint.hpp"

#include <fmt/format.h>
#include <mntent.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

#include "index/base/error.hpp"
#include "index/base/path.hpp"

extern char** environ;

namespace ferryfs::fs {
namespace {

struct table_closer {
  void operator()(FILE* f) const noexcept { ::endmntent(f); }
};

[[noreturn]] void refuse(const std::string& path, const char* why) {
  throw error(exit_code::usage, fmt::format("{}: {}", printable(path), why));
}

}  // namespace

void prepare_mountpoint(const std::string& mountpoint, const std::string& destination) {
  struct stat st {};
  // The kernel still answers stat(2) of a dead mount from its cache, but not statfs(2).
  struct statvfs space {};
  const bool dead = ::statvfs(mountpoint.c_str(), &space) != 0 && errno == ENOTCONN;
  if (dead) detach(mountpoint);
  const int problem = ::stat(mountpoint.c_str(), &st) == 0 ? 0 : errno;
  if (!dead && problem == 0 && stands_at(real_path(mountpoint)))
    refuse(mountpoint, "the mountpoint is busy: ferryfs is mounted there already; umount it first");
  const std::string real_mountpoint = real_path(mountpoint), real_destination = real_path(destination);
  if (real_mountpoint == real_destination) return;
  if (problem != 0) refuse(mountpoint, "the mountpoint must be an existing directory; make it first");
  if (!S_ISDIR(st.st_mode)) refuse(mountpoint, "the mountpoint is not a directory; choose an empty one");
  if (!std::filesystem::is_empty(mountpoint))
    refuse(mountpoint, "the mountpoint is not empty; choose an empty directory");
  if (is_at_or_below(real_destination, real_mountpoint))
    refuse(mountpoint, "the destination lies inside the mountpoint; choose another one");
  if (is_at_or_below(real_mountpoint, real_destination))
    refuse(mountpoint, "the mountpoint lies inside the destination; choose another one");
}

bool stands_at(const std::string& mountpoint) {
  const std::unique_ptr<FILE, table_closer> table{::setmntent("/proc/self/mounts", "r")};
  while (const mntent* m = table ? ::getmntent(table.get()) : nullptr)
    if (std::strcmp(m->mnt_type, "fuse.ferryfs") == 0 && mountpoint == m->mnt_dir) return true;
  return false;
}

void detach(const std::string& mountpoint) {
  if (::umount2(mountpoint.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) == 0 || errno != EPERM) return;
  std::string words[] = {"fusermount3", "-u", "-z", "--", mountpoint};
  char* argv[] = {words[0].data(), words[1].data(), words[2].data(), words[3].data(), words[4].data(), nullptr};
  pid_t child = 0;
  if (::posix_spawnp(&child, argv[0], nullptr, nullptr, argv, environ) == 0) ::waitpid(child, nullptr, 0);
}

}  // namespace ferryfs::fs
