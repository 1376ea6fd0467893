// Whether a file on the source is at rest: an upload that goes on shows a young mtime.
#pragma once

#include <chrono>
#include <cstdint>

namespace ferryfs::remote {

// A camera's upload over a bad line pauses for seconds; a clock that is wrong is wrong by more than these.
inline constexpr std::chrono::seconds settle_time{10};

// `mtime` in seconds since 1970. True where it lies further from now than settle_time, on either side.
inline bool is_settled(std::int64_t mtime) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto age = std::chrono::duration_cast<std::chrono::seconds>(now) - std::chrono::seconds{mtime};
  return age > settle_time || age < -settle_time;
}

}  // namespace ferryfs::remote
