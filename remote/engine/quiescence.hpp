// Whether a file on the source is at rest, or still being written. The server's clock is not compared with ours more
// finely than a day and a half; what tells are two looks of our own, by our own clock, that saw the same.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <unordered_map>

#include "index/base/clock.hpp"
#include "index/base/mutex.hpp"
#include "index/model/entry.hpp"

namespace ferryfs::remote {

// Threads: any.
class quiescence {
 public:
  using clock = std::chrono::steady_clock;
  // A file whose mtime lies within this of now, or ahead of it, may still be written: the server's clock may be wrong
  // by a time zone, and some more.
  static constexpr std::chrono::hours young{36};

  // `quiet`: how far apart the two looks must be.
  explicit quiescence(std::chrono::seconds quiet) : quiet_(quiet) {}
  // The clocks, which tests replace. Set before the first look.
  std::function<std::chrono::system_clock::time_point()> wall = wall_now;
  std::function<clock::time_point()> monotonic = steady_now;

  // The source shows a file like this; `mtime` in seconds since 1970. Returns the time from which on it counts as at
  // rest, provided that it stays as it is; a time that is not ahead of now: it does already.
  clock::time_point observe(inode ino, std::uint64_t size, std::int64_t mtime);
  bool is_quiescent(inode ino, std::uint64_t size, std::int64_t mtime);

 private:
  struct observation {
    std::uint64_t size;
    std::int64_t mtime;
    clock::time_point since;
  };
  void make_room() REQUIRES(mutex_);

  const std::chrono::seconds quiet_;
  mutex mutex_{lock_level::leaf};
  std::unordered_map<inode, observation> observations_ GUARDED_BY(mutex_);  // of those that are young
};

}  // namespace ferryfs::remote
