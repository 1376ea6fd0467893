// Attributes of the nodes of the disk in memory, asked and set.
#include "tests/simulation/memory_disk/node.hpp"

#include <sys/sysmacros.h>

#include <cerrno>

namespace ferryfs::test {
namespace {

constexpr dev_t device = 0xFE01;

}  // namespace

void memory_disk::touch(node& n) { n.mtime = n.ctime = now(); }

void memory_disk::node::set_permissions(mode_t permissions) {
  mode = (mode & S_IFMT) | (permissions & 07777);
  ctime = now();
}

// As chown(2) has it, -1 leaves what is.
void memory_disk::node::set_owner(uid_t new_uid, gid_t new_gid) {
  if (new_uid != static_cast<uid_t>(-1)) uid = new_uid;
  if (new_gid != static_cast<gid_t>(-1)) gid = new_gid;
  ctime = now();
}

void memory_disk::fill(const node& n, struct stat& to) const {
  to = {};
  to.st_dev = device;
  to.st_ino = n.number;
  to.st_mode = n.mode;
  to.st_nlink = S_ISDIR(n.mode) ? 2 : n.links;
  to.st_uid = n.uid, to.st_gid = n.gid;
  to.st_size = S_ISDIR(n.mode) ? static_cast<off_t>(block_size) : static_cast<off_t>(n.data.size());
  to.st_blksize = block_size;
  to.st_blocks = static_cast<blkcnt_t>((n.data.size() + 511) / 512);
  to.st_mtim = n.mtime, to.st_ctim = n.ctime, to.st_atim = n.mtime;
}

int memory_disk::fstat(int fd, struct stat* to) {
  if (refuses("fstat")) return -1;
  auto* const d = of(fd);
  if (d == nullptr) return -1;
  fill(*d->of, *to);
  return 0;
}

int memory_disk::lstat(const char* path, struct stat* to) {
  if (refuses("lstat")) return -1;
  const auto n = find(AT_FDCWD, path, false);
  if (!n) return -1;
  fill(*n, *to);
  return 0;
}

int memory_disk::fstatat(int directory, const char* name, struct stat* to, int flags) {
  if (refuses("fstatat")) return -1;
  const auto n = find(directory, name, (flags & AT_SYMLINK_NOFOLLOW) == 0);
  if (!n) return -1;
  fill(*n, *to);
  return 0;
}

int memory_disk::statx(int directory, const char* name, int flags, unsigned, struct statx* to) {
  if (refuses("statx")) return -1;
  const auto n = find(directory, name, (flags & AT_SYMLINK_NOFOLLOW) == 0);
  if (!n) return -1;
  struct stat st {};
  fill(*n, st);
  *to = {};
  to->stx_mask = STATX_BASIC_STATS | STATX_BTIME;
  to->stx_mode = static_cast<std::uint16_t>(st.st_mode);
  to->stx_ino = st.st_ino;
  to->stx_size = static_cast<std::uint64_t>(st.st_size);
  to->stx_nlink = static_cast<std::uint32_t>(st.st_nlink);
  to->stx_mtime = {n->mtime.tv_sec, static_cast<std::uint32_t>(n->mtime.tv_nsec), {}};
  to->stx_ctime = {n->ctime.tv_sec, static_cast<std::uint32_t>(n->ctime.tv_nsec), {}};
  to->stx_btime = {n->birth.tv_sec, static_cast<std::uint32_t>(n->birth.tv_nsec), {}};
  to->stx_dev_major = major(device), to->stx_dev_minor = minor(device);
  return 0;
}

int memory_disk::chmod(const char* path, mode_t mode) {
  if (refuses("chmod")) return -1;
  const auto n = find(AT_FDCWD, path, true);
  if (!n) return -1;
  return n->set_permissions(mode), 0;
}

int memory_disk::fchmod(int fd, mode_t mode) {
  if (refuses("fchmod")) return -1;
  auto* const d = of(fd);
  if (d == nullptr) return -1;
  return d->of->set_permissions(mode), 0;
}

int memory_disk::fchown(int fd, uid_t uid, gid_t gid) {
  if (refuses("fchown")) return -1;
  auto* const d = of(fd);
  if (d == nullptr) return -1;
  return d->of->set_owner(uid, gid), 0;
}

int memory_disk::fchownat(int directory, const char* name, uid_t uid, gid_t gid, int) {
  if (refuses("fchownat")) return -1;
  const auto n = find(directory, name, false);
  if (!n) return -1;
  return n->set_owner(uid, gid), 0;
}

int memory_disk::set_times(node& n, const struct timespec* times) {
  const timespec present = now();
  const timespec wanted = times == nullptr ? present : times[1];
  if (wanted.tv_nsec != UTIME_OMIT) n.mtime = wanted.tv_nsec == UTIME_NOW ? present : wanted;
  n.ctime = present;
  return 0;
}

int memory_disk::futimens(int fd, const struct timespec* times) {
  if (refuses("futimens")) return -1;
  auto* const d = of(fd);
  return d == nullptr ? -1 : set_times(*d->of, times);
}

int memory_disk::utimensat(int directory, const char* name, const struct timespec* times, int) {
  if (refuses("utimensat")) return -1;
  const auto n = find(directory, name, false);
  return n ? set_times(*n, times) : -1;
}

ssize_t memory_disk::getxattr(const char*, const char*, void*, std::size_t) { return fail(ENODATA); }
ssize_t memory_disk::listxattr(const char*, char*, std::size_t) { return 0; }
int memory_disk::setxattr(const char*, const char*, const void*, std::size_t, int) { return fail(EOPNOTSUPP); }
int memory_disk::removexattr(const char*, const char*) { return fail(ENODATA); }

}  // namespace ferryfs::test
