// Which directories of the destination need not be read again: what they showed when all of them was merged into the
// index. For as long as the archive is open; up to a number, beyond which a directory is read each time.
#pragma once

#include <sys/stat.h>

#include <ctime>
#include <unordered_map>

#include "index/entry.hpp"

namespace ferryfs::remote {

class directory_marks {
 public:
  // A name was added, removed or changed since if the directory's mtime says so, or its ctime, which nobody can set.
  bool unchanged(inode ino, const struct stat& now) const {
    const auto at = marks_.find(ino);
    return at != marks_.end() && at->second == mark_of(now);
  }

  // All of it was read and merged; `before` is what it showed when that began, at `begun`. A time too near to that
  // would not tell a later change from what was read.
  void listed(inode ino, const struct stat& before, std::time_t begun) {
    if (begun - before.st_ctim.tv_sec <= 2 || begun - before.st_mtim.tv_sec <= 2) {
      marks_.erase(ino);
    } else if (marks_.size() < most || marks_.contains(ino)) {
      marks_[ino] = mark_of(before);
    }
  }

  void forget() noexcept { marks_.clear(); }

 private:
  static constexpr std::size_t most = 100'000;
  struct mark {
    dev_t device;
    ino_t file;
    std::int64_t mtime, ctime;  // nanoseconds since 1970
    bool operator==(const mark&) const = default;
  };
  static std::int64_t nanoseconds(const timespec& t) { return t.tv_sec * 1'000'000'000 + t.tv_nsec; }
  static mark mark_of(const struct stat& s) {
    return {s.st_dev, s.st_ino, nanoseconds(s.st_mtim), nanoseconds(s.st_ctim)};
  }

  std::unordered_map<inode, mark> marks_;
};

}  // namespace ferryfs::remote
