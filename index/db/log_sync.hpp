// Makes what was committed survive a power cut: with synchronous=NORMAL a commit is in the write-ahead log, and SQLite
// syncs that before a checkpoint only.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <unordered_set>
#include <vector>

#include "index/base/mutex.hpp"
#include "index/model/entry.hpp"

namespace ferryfs::index {

class log_sync {
 public:
  // Of the index at `path`.
  explicit log_sync(const std::string& path) : log_(path + "-wal") {}

  // A commit was made; then, what it promised (see transaction::promise). For the thread that commits.
  void add_commit() noexcept { ++commits_; }
  void add_promises(const std::vector<inode>& inodes);

  // All that was committed survives a power cut when this returns. Throws std::system_error. Threads: any.
  void sync();
  // The same, where something was promised of the entry that does not survive one yet.
  void sync(inode ino);

 private:
  const std::string log_;
  std::atomic<std::uint64_t> commits_ = 0;
  mutex mutex_{lock_level::leaf};  // not held while the file is synced
  condition ended_;
  bool runs_ GUARDED_BY(mutex_) = false;                   // one thread syncs the file
  std::uint64_t synced_ GUARDED_BY(mutex_) = 0;            // commits
  std::unordered_set<inode> promised_ GUARDED_BY(mutex_);  // and not synced
  std::unordered_set<inode> in_sync_ GUARDED_BY(mutex_);   // promised, and being synced
};

}  // namespace ferryfs::index
