// The destination's directory on disk. It is opened once, before anything is mounted over it, and all work goes through
// that handle. Paths are relative to it. Threads: any.
#pragma once

#include <sys/statvfs.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "index/base/mutex.hpp"
#include "index/base/time.hpp"
#include "index/model/entry.hpp"
#include "index/update/merge.hpp"
#include "remote/destination/capabilities.hpp"
#include "remote/destination/new_file_attributes.hpp"
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
  void acquire(const std::string& mountpoint);

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
  // As new_file_attributes::makes.
  bool makes(std::uint32_t mode) const noexcept { return new_files_.makes(mode); }

  // The lock of the namespace. A thread that makes or removes a name through the mount holds it shared until the index
  // knows of the change, and then counts the change. A thread that renames, or gives a fetched picture its name, holds
  // it exclusively, so that a name is what the index says.
  shared_mutex& namespace_lock() const noexcept RETURN_CAPABILITY(namespace_) { return namespace_; }
  std::atomic<std::uint64_t>& namespace_version() const noexcept { return namespace_version_; }

  // The entry at `path` now, under that name, or, where `just_listed` says that it was just read from its directory,
  // under whatever name the file system takes for it.
  std::optional<index::directory_entry> look(const std::string& path, bool just_listed = false) const;
  // Where the file system takes names for the same: what stands under another one in place of a part of `path`.
  std::optional<std::string> look_alike(const std::string& path) const;
  // The same of a name in an open directory: a file made there would be another's.
  bool is_look_alike(int directory, const std::string& name) const;
  // Makes the data of all that was written durable (syncfs). 0 or errno.
  int sync() const noexcept;
  // Gives a partial file its final name in an open directory: partial_files::give_name. The caller holds the lock
  // of the namespace exclusively.
  int rename_into_place(inode ino, int directory, const std::string& name, bool replace) const noexcept;
  // Makes a directory in an open one: for its owner alone, then with `mode`, which is asked only if it was made, and
  // rwx for its owner, to be filled. 0 or errno.
  int make_directory(int parent, const std::string& name, const std::function<std::uint32_t()>& mode) const;
  // Makes a symbolic link with that mtime, in seconds. 0 or errno.
  int make_link(int parent, const std::string& name, const std::string& target, std::int64_t mtime) const noexcept;

  // Which times files can have, and which owner and group they get; see new_file_attributes, as for the next.
  const time_range& times() const noexcept { return new_files_.times(); }
  std::uint32_t uid() const noexcept { return new_files_.uid(); }
  std::uint32_t gid() const noexcept { return new_files_.gid(); }
  int give_owner(int file, std::optional<std::uint32_t> uid, std::optional<std::uint32_t> gid) const noexcept {
    return new_files_.give_owner(file, uid, gid);
  }
  int give_mode(int file, std::uint32_t mode) const noexcept { return new_files_.give_mode(file, mode); }

  // The file system's capabilities; known after `acquire`.
  const capabilities& can() const noexcept { return can_; }
  // The capabilities that it lacks, and what follows from that, in one line; empty: none.
  std::string lacking() const;

 private:
  bool let_in(int directory) const noexcept;

  std::string path_;
  unique_fd root_, home_, reports_, lock_;
  mutable partial_files partials_;
  new_file_attributes new_files_;
  capabilities can_;
  mutable shared_mutex namespace_{lock_level::name_space};
  mutable std::atomic<std::uint64_t> namespace_version_ = 0;
};

}  // namespace ferryfs::remote
