// The time. Nothing else in index/ and remote/engine/ asks the machine for it.
#pragma once

#include <chrono>
#include <cstdint>

#include "index/base/scheduler.hpp"

namespace ferryfs {

// Only goes forward: for deadlines and durations.
inline std::chrono::steady_clock::time_point steady_now() {
  auto* const s = scheduler::current();
  return s != nullptr ? s->steady_now() : std::chrono::steady_clock::now();
}

// The time of day, which may jump.
inline std::chrono::system_clock::time_point wall_now() {
  auto* const s = scheduler::current();
  return s != nullptr ? s->wall_now() : std::chrono::system_clock::now();
}

// Since 1970.
inline std::int64_t wall_seconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(wall_now().time_since_epoch()).count();
}
inline std::int64_t wall_nanoseconds() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(wall_now().time_since_epoch()).count();
}

}  // namespace ferryfs
