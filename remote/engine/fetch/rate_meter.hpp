// How fast bytes come, over the last ten seconds. Pure; the caller locks.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>

namespace ferryfs::remote {

class rate_meter {
 public:
  using clock = std::chrono::steady_clock;
  struct reading {
    std::uint64_t rate = 0;   // bytes a second
    std::uint64_t bytes = 0;  // since the start, as the next
    std::uint64_t files = 0;
  };

  explicit rate_meter(clock::time_point start) : now_(second_of(start)), first_(now_) {}

  void add(std::uint64_t bytes, clock::time_point now) {
    turn(now);
    seconds_[slot(now_)] += bytes;
    bytes_ += bytes;
    ++files_;
  }
  reading read(clock::time_point now) {
    turn(now);
    std::uint64_t sum = 0;
    for (const auto s : seconds_) sum += s;
    const auto span = std::min<std::int64_t>(now_ - first_ + 1, static_cast<std::int64_t>(seconds_.size()));
    return {sum / static_cast<std::uint64_t>(std::max<std::int64_t>(span, 1)), bytes_, files_};
  }

 private:
  static std::int64_t second_of(clock::time_point t) {
    return std::chrono::duration_cast<std::chrono::seconds>(t.time_since_epoch()).count();
  }
  static std::size_t slot(std::int64_t s) { return static_cast<std::size_t>(s % 10); }
  // Empties the seconds that have passed since the last call.
  void turn(clock::time_point now) {
    const std::int64_t s = second_of(now);
    if (s - now_ >= 10) first_ = s;
    for (std::int64_t i = std::max(now_ + 1, s - 9); i <= s; ++i) seconds_[slot(i)] = 0;
    now_ = s;
  }

  std::array<std::uint64_t, 10> seconds_{};
  std::int64_t now_, first_;
  std::uint64_t bytes_ = 0, files_ = 0;
};

}  // namespace ferryfs::remote
