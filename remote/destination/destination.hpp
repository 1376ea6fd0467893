// The destination's directory on disk. It is opened once, before anything is mounted over it, and all work goes through
// that handle. Paths are relative to it. Threads: any.
#pragma once

#include <sys/statvfs.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <shared_mutex>
#include <string>

#include "index/base/time.hpp"
#include "index/model/entry.hpp"
#include "index/update/merge.hpp"
#include "remote/destination/capabilities.hpp"
#include "remote/destination/partial_files.hpp"
#include "remote/files/beneath.hpp"

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
  std::string decisions_path() const;
  std::string reports_path() const;  // a directory

  struct statvfs space() const;  // what `df` shows
  std::uint64_t free_bytes() const;
  std::uint64_t capacity() const;  // bytes of the whole file system

  unique_fd open(const std::string& path, int flags) const noexcept { return open_beneath(root_.get(), path, flags); }
  // Partial files, where nobody else can reach them; see partial_files. They get as much of a mode as the umask leaves.
  unique_fd create_partial(inode ino, std::uint32_t mode) const noexcept { return partials_.create(ino, mode); }
  unique_fd open_partial(inode ino) const noexcept { return partials_.open(ino); }
  void remove_partial(inode ino) const noexcept { partials_.remove(ino); }
  int carry_partial(inode ino, const unique_fd& directory) const noexcept;
  bool is_carried(inode ino) const noexcept { return partials_.is_carried(ino); }
  bool is_left_over(std::string_view name) const noexcept { return partials_.is_left_over(name); }
  // A partial file that was made with this mode has just that.
  bool makes(std::uint32_t mode) const noexcept { return modes_hold_ && mode == (mode & 0777 & ~umask_); }

  // Who makes or removes a name through the mount holds it shared until the index knows of the change, and then counts
  // it; who renames, or gives a fetched picture its name, holds it alone, so that a name is what the index says.
  std::shared_mutex& names() const noexcept { return names_; }
  std::atomic<std::uint64_t>& changes() const noexcept { return changes_; }

  // What stands at `path` now, under that name, or, where `as_listed` says that it was just read from its directory,
  // under whatever name the file system takes for it.
  std::optional<index::directory_entry> look(const std::string& path, bool as_listed = false) const;
  // Where the file system takes names for the same: what stands under another one in place of a part of `path`.
  std::optional<std::string> look_alike(const std::string& path) const;
  // The same of a name in an open directory: a file made there would be another's.
  bool is_look_alike(int directory, const std::string& name) const;
  // Makes the data of all that was written durable (syncfs). 0 or errno.
  int sync() const noexcept;
  // Gives a partial file its final name in an open directory: partial_files::give_name. The caller holds `names` alone.
  int name_partial(inode ino, int directory, const std::string& name, bool replace) const noexcept;
  // Makes a directory in an open one: for its owner alone, then with `mode`, which is asked only if it was made, and
  // rwx for its owner, who is to fill it. 0 or errno.
  int make_directory(int parent, const std::string& name, const std::function<std::uint32_t()>& mode) const;
  // Makes a symbolic link with that mtime, in seconds. 0 or errno.
  int make_link(int parent, const std::string& name, const std::string& target, std::int64_t mtime) const noexcept;

  // Which times files can have there.
  const time_range& times() const noexcept { return times_; }

  // What files and directories get as their owner and group: those of the destination's directory, as far as our user
  // and the file system can give them.
  std::uint32_t uid() const noexcept { return uid_; }
  std::uint32_t gid() const noexcept { return gid_; }
  // Give what is open that owner, or another; a mode. Where that can't be had, it stays as it was made. 0 or errno.
  int give_owner(int file, std::optional<std::uint32_t> uid, std::optional<std::uint32_t> gid) const noexcept;
  int give_mode(int file, std::uint32_t mode) const noexcept;

  // What the file system can do; known after `take`.
  const capabilities& can() const noexcept { return can_; }
  // What it can't, and what follows from that, in one line; empty: nothing is lacking.
  std::string lacking() const;

 private:
  std::string path_;
  void try_modes();
  void try_times(int file);
  void try_owner(const struct stat& root);
  bool let_in(int directory) const noexcept;

  unique_fd root_, home_, reports_, lock_;
  mutable partial_files partials_;
  std::uint32_t uid_ = 0, gid_ = 0;
  std::uint32_t umask_ = 0;
  bool ours_ = false;        // new files get their owner by themselves
  std::string other_owner_;  // which one files get, and why, where it is not the directory's
  capabilities can_;
  time_range times_;
  bool modes_hold_ = false;  // not so with a default ACL, or where the file system has a mode for all
  mutable std::shared_mutex names_;
  mutable std::atomic<std::uint64_t> changes_ = 0;
};

// As side::holes.
std::uint64_t holes_of(const struct stat& st);

// The destination's own view of `st`, as the index keeps it. Owners are kept where they are not `uid`, `gid`.
index::directory_entry as_listed(const std::string& name, const struct stat& st, const std::string& target,
                                 std::uint32_t uid, std::uint32_t gid);

}  // namespace ferryfs::remote
