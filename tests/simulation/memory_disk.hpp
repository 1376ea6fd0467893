// A disk in memory, reached by the calls of index/base/disk.hpp, that loses at a power cut what was not synced.
//
// What survives: all that was there at the last syncfs(2), and what was synced one by one since. Of the names that were
// made, removed and renamed after that a beginning survives, in their order, as ext4's journal has it; fsync(2) of
// anything makes all names so far durable. With `weak`, which other file systems may be, each of them survives or not
// by itself, and fsync(2) makes the one file durable, or the one directory's names. Of bytes that were not synced a
// file has those that it had when it was, or the present ones, or zeros in their place. Not modelled: hard links to
// directories, permissions (all is allowed, as to root), quotas, holes, leases, extended attributes.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "index/base/disk.hpp"

namespace ferryfs::test {

class memory_disk final : public disk_calls {
 public:
  struct options {
    bool weak = false;
    std::uint64_t capacity = 1ULL << 30;  // bytes
  };
  explicit memory_disk(options o);
  ~memory_disk() override;

  // All descriptors are closed, and what was not synced is lost, as `random` decides.
  void cut_power(std::mt19937_64& random);
  // The process is gone, and the disk as it was.
  void close_all();

  // Before each call but close(): a number other than 0 is its errno, and nothing is done. It may throw, which ends the
  // engine at this very moment.
  void before_each(std::function<int(const char* call)> hook) { hook_ = std::move(hook); }

  // For a checker: the whole content of a file, or nothing where there is none; names below a directory, sorted.
  std::optional<std::string> content(const std::string& path) const;
  std::vector<std::string> paths() const;

  int open(const char* path, int flags, mode_t mode) override;
  int openat(int directory, const char* path, int flags, mode_t mode) override;
  int open_beneath(int directory, const char* path, int flags, mode_t mode) override;
  int duplicate(int fd) override;
  int close(int fd) override;
  int flock(int fd, int operation) override;
  int set_lease(int fd, int kind) override;
  int fstat(int fd, struct stat* to) override;
  int lstat(const char* path, struct stat* to) override;
  int fstatat(int directory, const char* name, struct stat* to, int flags) override;
  int statx(int directory, const char* name, int flags, unsigned mask, struct statx* to) override;
  int fstatvfs(int fd, struct statvfs* to) override;
  int access(const char* path, int mode) override;
  int list(int directory, const std::function<bool(const char* name)>& each) override;
  ssize_t readlinkat(int directory, const char* name, char* to, std::size_t size) override;
  ssize_t read(int fd, void* to, std::size_t size) override;
  ssize_t pread(int fd, void* to, std::size_t size, off_t at) override;
  ssize_t pwrite(int fd, const void* from, std::size_t size, off_t at) override;
  int ftruncate(int fd, off_t size) override;
  int fallocate(int fd, int mode, off_t at, off_t size) override;
  ssize_t copy_file_range(int from, off_t* from_at, int to, off_t* to_at, std::size_t size) override;
  off_t lseek(int fd, off_t at, int whence) override;
  int posix_fadvise(int fd, off_t at, off_t size, int advice) override;
  int fsync(int fd) override;
  int fdatasync(int fd) override;
  int syncfs(int fd) override;
  int sync_file_range(int fd, off_t at, off_t size, unsigned flags) override;
  int mkdir(const char* path, mode_t mode) override;
  int mkdirat(int directory, const char* name, mode_t mode) override;
  int mknodat(int directory, const char* name, mode_t mode, dev_t device) override;
  int symlinkat(const char* target, int directory, const char* name) override;
  int linkat(int from, const char* old_name, int to, const char* name, int flags) override;
  int unlinkat(int directory, const char* name, int flags) override;
  int renameat2(int from, const char* old_name, int to, const char* name, unsigned flags) override;
  int chmod(const char* path, mode_t mode) override;
  int fchmod(int fd, mode_t mode) override;
  int fchown(int fd, uid_t uid, gid_t gid) override;
  int fchownat(int directory, const char* name, uid_t uid, gid_t gid, int flags) override;
  int futimens(int fd, const struct timespec* times) override;
  int utimensat(int directory, const char* name, const struct timespec* times, int flags) override;
  ssize_t getxattr(const char* path, const char* name, void* to, std::size_t size) override;
  ssize_t listxattr(const char* path, char* to, std::size_t size) override;
  int setxattr(const char* path, const char* name, const void* value, std::size_t size, int flags) override;
  int removexattr(const char* path, const char* name) override;

 private:
  struct node;
  using node_pointer = std::shared_ptr<node>;
  struct descriptor;
  // One name of a directory: what it stands for from now on, or nothing.
  struct edit {
    node_pointer directory;
    std::string name;
    node_pointer to;
  };
  using change = std::vector<edit>;  // survives as a whole, or not

  bool refuses(const char* call);
  descriptor* of(int fd);
  node_pointer base(int directory, const char* path);
  node_pointer walk(node_pointer from, const std::string& path, bool follow_last, bool beneath, std::string* last);
  node_pointer find(int directory, const char* path, bool follow_last);
  node_pointer find_parent(int directory, const char* path, std::string& name);
  static bool is_at_or_below(const node_pointer& n, const node_pointer& top);
  int add_descriptor(node_pointer n, int flags);
  int open_node(node_pointer directory, const std::string& path, int flags, mode_t mode, bool beneath);
  node_pointer make(mode_t mode);
  void apply(change c);
  void touch(node& n);
  void fill(const node& n, struct stat& to) const;
  std::uint64_t used() const;
  bool has_room(std::uint64_t more);
  int set_times(node& n, const struct timespec* times);
  void sync_names();
  void sync_all();

  const options options_;
  std::function<int(const char*)> hook_;
  std::uint64_t last_number_ = 1;
  node_pointer root_;
  std::vector<change> journal_;  // of names, since all were durable
  std::map<int, std::unique_ptr<descriptor>> descriptors_;
  std::vector<std::weak_ptr<node>> nodes_;
};

}  // namespace ferryfs::test
