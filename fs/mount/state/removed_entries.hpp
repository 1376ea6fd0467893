// Entries that have left the view while the kernel still holds their inodes, as of a directory that somebody has open:
// fstat(2) and fchmod(2) of those go on (POSIX), though the index has no row of them.
#pragma once

#include <sys/stat.h>

#include <atomic>
#include <cstddef>
#include <functional>
#include <list>
#include <optional>
#include <unordered_map>

#include "index/base/mutex.hpp"
#include "index/model/entry.hpp"

namespace ferryfs::fs {

// The last 16,384 that the kernel has not forgotten. Threads: any.
class removed_entries {
 public:
  void add(const entry& e);
  std::optional<entry> find(inode ino);
  // False: `ino` is not among them.
  bool change(inode ino, const std::function<void(entry&)>& edit);
  // The kernel has dropped the inode.
  void forget(inode ino);

 private:
  static constexpr std::size_t most = 16'384;
  struct removed {
    entry last;
    std::list<inode>::iterator age;
  };
  mutex mutex_{lock_level::leaf};
  std::unordered_map<inode, removed> entries_ GUARDED_BY(mutex_);
  std::list<inode> oldest_first_ GUARDED_BY(mutex_);
  std::atomic<std::size_t> count_ = 0;  // so that FORGET takes no lock while there are none
};

}  // namespace ferryfs::fs
