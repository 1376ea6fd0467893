// Points in time as the index keeps them: nanoseconds since 1970 in 64 bits, from 1677 to 2262. A time beyond these is
// taken for the nearest that can be kept, at the moment it comes in; all comparing is done after that. Pure.
#pragma once

#include <algorithm>
#include <cstdint>
#include <ctime>

namespace ferryfs {

inline constexpr std::int64_t second_ns = 1'000'000'000;
// The seconds whose every nanosecond can be kept.
inline constexpr std::int64_t first_second = INT64_MIN / second_ns, last_second = INT64_MAX / second_ns - 1;

constexpr std::int64_t to_ns(std::int64_t seconds, std::int64_t nanoseconds = 0) noexcept {
  if (seconds < first_second) return first_second * second_ns;
  return seconds > last_second ? last_second * second_ns : seconds * second_ns + nanoseconds;
}
inline std::int64_t to_ns(const timespec& t) noexcept { return to_ns(t.tv_sec, t.tv_nsec); }

// The whole seconds: before 1970 as well, the second that it lies in.
constexpr std::int64_t to_seconds(std::int64_t ns) noexcept { return ns / second_ns - (ns % second_ns < 0 ? 1 : 0); }
inline timespec to_timespec(std::int64_t ns) noexcept {
  return {to_seconds(ns), static_cast<long>(ns - to_seconds(ns) * second_ns)};
}

// The times that a file system can keep, where it clamps by itself (ext4 from 1901 to 2446, XFS without bigtime to
// 2038).
struct time_range {
  std::int64_t first = first_second, last = last_second;  // seconds since 1970

  constexpr std::int64_t ns(std::int64_t seconds) const noexcept { return to_ns(std::clamp(seconds, first, last)); }
  constexpr std::int64_t clamped(std::int64_t at) const noexcept {
    const std::int64_t seconds = to_seconds(at);
    return seconds < first || seconds > last ? ns(seconds) : at;
  }
};

}  // namespace ferryfs
