// Which directories of the destination need not be read again: what each showed when all of it was merged into the
// index. Lives as long as the archive is open, and holds a limited number of directories; the others are read by each
// scan. Threads: the scanner's alone.
#pragma once

#include <sys/stat.h>

#include <ctime>
#include <unordered_map>

#include "index/base/time.hpp"
#include "index/model/entry.hpp"

namespace ferryfs::remote {

class directory_cache {
 public:
  // A pass over all directories begins. A directory that a pass does not visit was away, and its rows say so: its
  // entry, which would look the same when the directory is back, is no longer used.
  void begin_pass() noexcept { ++pass_; }

  // Whether no name was added, removed or changed since: the directory's mtime would say so, or its ctime, which nobody
  // can set.
  bool is_unchanged(inode ino, const struct stat& now) {
    const auto at = entries_.find(ino);
    if (at == entries_.end() || at->second.shown != stamp_of(now) || at->second.pass + 1 < pass_) return false;
    at->second.pass = pass_;
    return true;
  }

  // The directory was read and merged to its end; `before` is what it showed when that began, at `begun`. A time too
  // near to `begun` would not tell a later change from what was read: such a directory is not remembered.
  void remember(inode ino, const struct stat& before, std::time_t begun) {
    if (begun - before.st_ctim.tv_sec <= 2 || begun - before.st_mtim.tv_sec <= 2) {
      entries_.erase(ino);
    } else if (entries_.size() < most || entries_.contains(ino)) {
      entries_[ino] = {stamp_of(before), pass_};
    }
  }

  void clear() noexcept { entries_.clear(); }

 private:
  static constexpr std::size_t most = 100'000;
  struct stamp {
    dev_t device;
    ino_t file;
    std::int64_t mtime, ctime;  // nanoseconds since 1970
    bool operator==(const stamp&) const = default;
  };
  struct cached_directory {
    stamp shown;
    std::uint64_t pass;  // the last one that visited it
  };
  static stamp stamp_of(const struct stat& s) { return {s.st_dev, s.st_ino, to_ns(s.st_mtim), to_ns(s.st_ctim)}; }

  std::unordered_map<inode, cached_directory> entries_;
  std::uint64_t pass_ = 0;
};

}  // namespace ferryfs::remote
