// System calls that reach files. index/, remote/files, remote/destination, remote/engine and fs/mount make them through
// disk() alone, so that a test can put in its own: one that fails the n-th call or a disk in memory whose power is cut.
#pragma once

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

namespace ferryfs {

// Each is the call of its name: the same arguments, result and errno. Threads:
// any.
class disk_calls {
 public:
  virtual ~disk_calls() = default;

  virtual int open(const char* path, int flags, mode_t mode = 0);
  virtual int openat(int directory, const char* path, int flags, mode_t mode = 0);
  // openat2(2) with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS.
  virtual int open_beneath(int directory, const char* path, int flags, mode_t mode);
  virtual int duplicate(int fd);  // F_DUPFD_CLOEXEC
  virtual int close(int fd);
  virtual int flock(int fd, int operation);
  virtual int set_lease(int fd, int kind);  // F_SETLEASE

  virtual int fstat(int fd, struct stat* to);
  virtual int lstat(const char* path, struct stat* to);
  virtual int fstatat(int directory, const char* name, struct stat* to, int flags);
  virtual int statx(int directory, const char* name, int flags, unsigned mask, struct statx* to);
  virtual int fstatvfs(int fd, struct statvfs* to);
  virtual int access(const char* path, int mode);
  // Calls `each` with every name in the directory, "." and ".." among them,
  // until it returns false. 0, or the errno that kept it from being read to its
  // end. Reads from the beginning, and leaves `directory` open.
  virtual int list(int directory, const std::function<bool(const char* name)>& each);
  virtual ssize_t readlinkat(int directory, const char* name, char* to, std::size_t size);

  virtual ssize_t read(int fd, void* to, std::size_t size);
  virtual ssize_t pread(int fd, void* to, std::size_t size, off_t at);
  virtual ssize_t pwrite(int fd, const void* from, std::size_t size, off_t at);
  virtual int ftruncate(int fd, off_t size);
  virtual int fallocate(int fd, int mode, off_t at, off_t size);
  virtual ssize_t copy_file_range(int from, off_t* from_at, int to, off_t* to_at, std::size_t size);
  virtual off_t lseek(int fd, off_t at, int whence);
  virtual int posix_fadvise(int fd, off_t at, off_t size, int advice);

  virtual int fsync(int fd);
  virtual int fdatasync(int fd);
  virtual int syncfs(int fd);
  virtual int sync_file_range(int fd, off_t at, off_t size, unsigned flags);

  virtual int mkdir(const char* path, mode_t mode);
  virtual int mkdirat(int directory, const char* name, mode_t mode);
  virtual int mknodat(int directory, const char* name, mode_t mode, dev_t device);
  virtual int symlinkat(const char* target, int directory, const char* name);
  virtual int linkat(int from, const char* old_name, int to, const char* name, int flags);
  virtual int unlinkat(int directory, const char* name, int flags);
  virtual int renameat2(int from, const char* old_name, int to, const char* name, unsigned flags);
  int renameat(int from, const char* old_name, int to, const char* name) {
    return renameat2(from, old_name, to, name, 0);
  }

  virtual int chmod(const char* path, mode_t mode);
  virtual int fchmod(int fd, mode_t mode);
  virtual int fchown(int fd, uid_t uid, gid_t gid);
  virtual int fchownat(int directory, const char* name, uid_t uid, gid_t gid, int flags);
  virtual int futimens(int fd, const struct timespec* times);
  virtual int utimensat(int directory, const char* name, const struct timespec* times, int flags);

  virtual ssize_t getxattr(const char* path, const char* name, void* to, std::size_t size);
  virtual ssize_t listxattr(const char* path, char* to, std::size_t size);
  virtual int setxattr(const char* path, const char* name, const void* value, std::size_t size, int flags);
  virtual int removexattr(const char* path, const char* name);

  // The system's own, or what stands in its place.
  static disk_calls& current() noexcept { return *current_.load(std::memory_order_relaxed); }
  // Null: the system's own again. While no file is reached.
  static void install(disk_calls* calls) noexcept;

 private:
  static std::atomic<disk_calls*> current_;
};

inline disk_calls& disk() noexcept { return disk_calls::current(); }

}  // namespace ferryfs
