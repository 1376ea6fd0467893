#include "index/base/disk.hpp"

#include <dirent.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#include <cerrno>
#include <cstdio>
#include <memory>

namespace ferryfs {
namespace {

disk_calls system_calls;

struct closer {
  void operator()(DIR* d) const noexcept { ::closedir(d); }
};

}  // namespace

std::atomic<disk_calls*> disk_calls::current_ = &system_calls;

void disk_calls::install(disk_calls* calls) noexcept { current_ = calls != nullptr ? calls : &system_calls; }

int disk_calls::open(const char* path, int flags, mode_t mode) { return ::open(path, flags, mode); }
int disk_calls::openat(int directory, const char* path, int flags, mode_t mode) {
  return ::openat(directory, path, flags, mode);
}
int disk_calls::open_beneath(int directory, const char* path, int flags, mode_t mode) {
  open_how how{};
  how.flags = static_cast<unsigned>(flags);
  how.mode = mode;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
  return static_cast<int>(::syscall(SYS_openat2, directory, path, &how, sizeof how));
}
int disk_calls::duplicate(int fd) { return ::fcntl(fd, F_DUPFD_CLOEXEC, 0); }
int disk_calls::close(int fd) { return ::close(fd); }
int disk_calls::flock(int fd, int operation) { return ::flock(fd, operation); }
int disk_calls::set_lease(int fd, int kind) { return ::fcntl(fd, F_SETLEASE, kind); }

int disk_calls::fstat(int fd, struct stat* to) { return ::fstat(fd, to); }
int disk_calls::lstat(const char* path, struct stat* to) { return ::lstat(path, to); }
int disk_calls::fstatat(int directory, const char* name, struct stat* to, int flags) {
  return ::fstatat(directory, name, to, flags);
}
int disk_calls::statx(int directory, const char* name, int flags, unsigned mask, struct statx* to) {
  return ::statx(directory, name, flags, mask, to);
}
int disk_calls::fstatvfs(int fd, struct statvfs* to) { return ::fstatvfs(fd, to); }
int disk_calls::access(const char* path, int mode) { return ::access(path, mode); }
int disk_calls::list(int directory, const std::function<bool(const char* name)>& each) {
  // The stream closes its descriptor, and shares the place in the directory with the caller's.
  const int own = disk_calls::duplicate(directory);
  const std::unique_ptr<DIR, closer> stream{own >= 0 ? ::fdopendir(own) : nullptr};
  if (!stream) {
    const int problem = errno;
    if (own >= 0) ::close(own);
    return problem;
  }
  ::rewinddir(stream.get());
  while (true) {
    errno = 0;
    const dirent* d = ::readdir(stream.get());
    if (d == nullptr) return errno;
    if (!each(d->d_name)) return 0;
  }
}
ssize_t disk_calls::readlinkat(int directory, const char* name, char* to, std::size_t size) {
  return ::readlinkat(directory, name, to, size);
}

ssize_t disk_calls::read(int fd, void* to, std::size_t size) { return ::read(fd, to, size); }
ssize_t disk_calls::pread(int fd, void* to, std::size_t size, off_t at) { return ::pread(fd, to, size, at); }
ssize_t disk_calls::pwrite(int fd, const void* from, std::size_t size, off_t at) {
  return ::pwrite(fd, from, size, at);
}
int disk_calls::ftruncate(int fd, off_t size) { return ::ftruncate(fd, size); }
int disk_calls::fallocate(int fd, int mode, off_t at, off_t size) { return ::fallocate(fd, mode, at, size); }
ssize_t disk_calls::copy_file_range(int from, off_t* from_at, int to, off_t* to_at, std::size_t size) {
  return ::copy_file_range(from, from_at, to, to_at, size, 0);
}
off_t disk_calls::lseek(int fd, off_t at, int whence) { return ::lseek(fd, at, whence); }
int disk_calls::posix_fadvise(int fd, off_t at, off_t size, int advice) {
  return ::posix_fadvise(fd, at, size, advice);
}

int disk_calls::fsync(int fd) { return ::fsync(fd); }
int disk_calls::fdatasync(int fd) { return ::fdatasync(fd); }
int disk_calls::syncfs(int fd) { return ::syncfs(fd); }
int disk_calls::sync_file_range(int fd, off_t at, off_t size, unsigned flags) {
  return ::sync_file_range(fd, at, size, flags);
}

int disk_calls::mkdir(const char* path, mode_t mode) { return ::mkdir(path, mode); }
int disk_calls::mkdirat(int directory, const char* name, mode_t mode) { return ::mkdirat(directory, name, mode); }
int disk_calls::mknodat(int directory, const char* name, mode_t mode, dev_t device) {
  return ::mknodat(directory, name, mode, device);
}
int disk_calls::symlinkat(const char* target, int directory, const char* name) {
  return ::symlinkat(target, directory, name);
}
int disk_calls::linkat(int from, const char* old_name, int to, const char* name, int flags) {
  return ::linkat(from, old_name, to, name, flags);
}
int disk_calls::unlinkat(int directory, const char* name, int flags) { return ::unlinkat(directory, name, flags); }
int disk_calls::renameat2(int from, const char* old_name, int to, const char* name, unsigned flags) {
  // A file system may know renameat(2) alone.
  return flags == 0 ? ::renameat(from, old_name, to, name) : ::renameat2(from, old_name, to, name, flags);
}

int disk_calls::chmod(const char* path, mode_t mode) { return ::chmod(path, mode); }
int disk_calls::fchmod(int fd, mode_t mode) { return ::fchmod(fd, mode); }
int disk_calls::fchown(int fd, uid_t uid, gid_t gid) { return ::fchown(fd, uid, gid); }
int disk_calls::fchownat(int directory, const char* name, uid_t uid, gid_t gid, int flags) {
  return ::fchownat(directory, name, uid, gid, flags);
}
int disk_calls::futimens(int fd, const struct timespec* times) { return ::futimens(fd, times); }
int disk_calls::utimensat(int directory, const char* name, const struct timespec* times, int flags) {
  return ::utimensat(directory, name, times, flags);
}

ssize_t disk_calls::getxattr(const char* path, const char* name, void* to, std::size_t size) {
  return ::getxattr(path, name, to, size);
}
ssize_t disk_calls::listxattr(const char* path, char* to, std::size_t size) { return ::listxattr(path, to, size); }
int disk_calls::setxattr(const char* path, const char* name, const void* value, std::size_t size, int flags) {
  return ::setxattr(path, name, value, size, flags);
}
int disk_calls::removexattr(const char* path, const char* name) { return ::removexattr(path, name); }

}  // namespace ferryfs
