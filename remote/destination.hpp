// The destination's directory on disk. It is opened once, before anything is mounted over it, and all work goes through
// that handle. Paths are relative to it. Threads: any.
#pragma once

#include <sys/statvfs.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <shared_mutex>
#include <string>

#include "index/entry.hpp"
#include "index/merge.hpp"
#include "index/time.hpp"
#include "remote/beneath.hpp"

namespace ferryfs::remote {

class destination {
 public:
  // Opens the directory, or remembers to make it where only its last component is missing. Changes nothing. Throws
  // ferryfs::error (local) where it is no directory, or not writable.
  explicit destination(const std::string& path);
  ~destination();
  destination(const destination&) = delete;
  destination& operator=(const destination&) = delete;

  // Makes .ferryfs/ and what belongs in it, takes the archive's lock and clears away partial files. Throws
  // ferryfs::error (local) where another process holds the lock, naming it.
  void take(const std::string& mountpoint);

  const std::string& path() const noexcept { return path_; }
  bool exists() const noexcept { return static_cast<bool>(root_); }
  int root() const noexcept { return root_.get(); }
  // Reaches .ferryfs/index.db even when the directory is mounted over.
  std::string index_path() const;
  std::string log_path() const;
  std::string reports_path() const;  // a directory

  struct statvfs space() const;  // what `df` shows
  std::uint64_t free_bytes() const;
  std::uint64_t capacity() const;  // bytes of the whole file system

  unique_fd open(const std::string& path, int flags) const noexcept { return open_beneath(root_.get(), path, flags); }
  // With as much of `mode` as the umask leaves, where nobody else can reach it.
  unique_fd create_partial(inode ino, std::uint32_t mode) const noexcept;
  // create_partial gave it just that.
  bool makes(std::uint32_t mode) const noexcept { return modes_hold_ && mode == (mode & 0777 & ~umask_); }
  unique_fd open_partial(inode ino) const noexcept;
  void remove_partial(inode ino) const noexcept;

  // Who makes or removes a name through the mount holds it shared until the index knows of the change, and then counts
  // it; who renames, or gives a fetched picture its name, holds it alone, so that a name is what the index says.
  std::shared_mutex& names() const noexcept { return names_; }
  std::atomic<std::uint64_t>& changes() const noexcept { return changes_; }

  // What stands at `path` now.
  std::optional<index::listed> look(const std::string& path) const;
  // Makes the data of all that was written durable (syncfs). 0 or errno.
  int sync() const noexcept;
  // Gives a partial file its final name in an open directory, in place of nothing, or, where `replace`, of what is
  // there. 0 or errno.
  int name_partial(inode ino, int directory, const std::string& name, bool replace) const noexcept;

  // Which times files can have there.
  const time_range& times() const noexcept { return times_; }

  std::uint32_t uid() const noexcept { return uid_; }
  std::uint32_t gid() const noexcept { return gid_; }
  // New files get that owner by themselves.
  bool is_ours() const noexcept { return ours_; }

 private:
  std::string path_;
  void try_modes();
  void try_times(int file);
  int partial_of(inode ino) const noexcept { return partials_[ino % partials_.size()].get(); }

  unique_fd root_, lock_;
  // Several, so that writing new partial files and naming finished ones do not wait for one directory's lock.
  // And many, so that each holds few names: ext4 compares with half a block of them whenever it looks one up.
  std::array<unique_fd, 64> partials_;
  std::uint32_t uid_ = 0, gid_ = 0;
  std::uint32_t umask_ = 0;
  bool ours_ = false;
  time_range times_;
  bool modes_hold_ = false;  // not so with a default ACL, or where the file system has a mode for all
  mutable std::shared_mutex names_;
  mutable std::atomic<std::uint64_t> changes_ = 0;
};

// The destination's own view of `st`, as the index keeps it. Owners are kept where they are not `uid`, `gid`.
index::listed as_listed(const std::string& name, const struct stat& st, const std::string& target, std::uint32_t uid,
                        std::uint32_t gid);

}  // namespace ferryfs::remote
