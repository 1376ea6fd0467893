// The rate limit of the background: a token bucket that may be changed while it runs. Threads: any.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "index/base/clock.hpp"

namespace ferryfs::remote {

class limiter {
 public:
  // Bytes a second; 0: no limit. What was granted before is forgotten.
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
  // When what was granted is paid for, at this rate; ahead of now: nothing more is granted until then.
  std::atomic<clock::time_point> paid_ = steady_now();
};

}  // namespace ferryfs::remote
