// The time of day, as rows and lines keep it.
#pragma once

#include <chrono>
#include <cstdint>

namespace ferryfs {

// Nanoseconds since 1970.
inline std::int64_t wall_clock_ns() {
  using namespace std::chrono;
  return duration_cast<nanoseconds>(system_clock::now().time_since_epoch()).count();
}

// Seconds since 1970.
inline std::int64_t wall_clock_seconds() {
  using namespace std::chrono;
  return duration_cast<seconds>(system_clock::now().time_since_epoch()).count();
}

}  // namespace ferryfs
