// The rate limit of the background: a token bucket that may be changed while it runs. Threads: any.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "index/base/clock.hpp"
#include "index/base/mutex.hpp"

namespace ferryfs::remote {

class limiter {
 public:
  // Bytes a second; 0: no limit.
  void set(std::uint64_t rate) noexcept;
  std::uint64_t rate() const noexcept { return rate_; }
  // While it holds, nothing is granted: the background is paused, what is queued as well.
  void hold(bool on) noexcept { held_ = on; }
  bool holds() const noexcept { return held_; }
  // True: `bytes` may be requested now, and are counted.
  bool take(std::uint64_t bytes);

 private:
  using clock = std::chrono::steady_clock;
  std::atomic<std::uint64_t> rate_ = 0;
  std::atomic<bool> held_ = false;
  mutex mutex_;
  double tokens_ GUARDED_BY(mutex_) = 0;  // may go below zero: a request is granted whole
  clock::time_point filled_ GUARDED_BY(mutex_) = steady_now();
};

}  // namespace ferryfs::remote
