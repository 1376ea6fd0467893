// Which directories of the destination need not be read again: what they showed when all of them was merged into the
// index. For as long as the archive is open; up to a number, beyond which a directory is read each time.
#pragma once

#include <sys/stat.h>

#include <ctime>
#include <unordered_map>

#include "index/model/entry.hpp"

namespace ferryfs::remote {

class directory_marks {
 public:
  // A pass over all directories begins. One that a pass does not come by was away, and its rows say so: its mark, which
  // looks the same when it is back, ends.
  void begin_pass() noexcept { ++pass_; }

  // A name was added, removed or changed since if the directory's mtime says so, or its ctime, which nobody can set.
  bool unchanged(inode ino, const struct stat& now) {
    const auto at = marks_.find(ino);
    if (at == marks_.end() || at->second.looks != look_of(now) || at->second.pass + 1 < pass_) return false;
    at->second.pass = pass_;
    return true;
  }

  // All of it was read and merged; `before` is what it showed when that began, at `begun`. A time too near to that
  // would not tell a later change from what was read.
  void listed(inode ino, const struct stat& before, std::time_t begun) {
    if (begun - before.st_ctim.tv_sec <= 2 || begun - before.st_mtim.tv_sec <= 2) {
      marks_.erase(ino);
    } else if (marks_.size() < most || marks_.contains(ino)) {
      marks_[ino] = {look_of(before), pass_};
    }
  }

  void forget() noexcept { marks_.clear(); }

 private:
  static constexpr std::size_t most = 100'000;
  struct look {
    dev_t device;
    ino_t file;
    std::int64_t mtime, ctime;  // nanoseconds since 1970
    bool operator==(const look&) const = default;
  };
  struct mark {
    look looks;
    std::uint64_t pass;  // that came by it last
  };
  static std::int64_t nanoseconds(const timespec& t) { return t.tv_sec * 1'000'000'000 + t.tv_nsec; }
  static look look_of(const struct stat& s) {
    return {s.st_dev, s.st_ino, nanoseconds(s.st_mtim), nanoseconds(s.st_ctim)};
  }

  std::unordered_map<inode, mark> marks_;
  std::uint64_t pass_ = 0;
};

}  // namespace ferryfs::remote
