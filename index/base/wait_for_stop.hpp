#pragma once

#include <chrono>
#include <stop_token>

#include "index/base/mutex.hpp"

namespace ferryfs {

// Blocks for `time`, or until a stop is asked for. True: it was.
inline bool wait_for_stop(const std::stop_token& stop, std::chrono::nanoseconds time) {
  mutex alone{lock_level::leaf};
  condition stopped;
  lock held{alone};
  stopped.wait_for(held, stop, time, [] { return false; });
  return stop.stop_requested();
}

}  // namespace ferryfs
