// How fast bytes come, over the last ten seconds. Threads: any.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>

namespace ferryfs::remote {

class speedometer {
 public:
  void add(std::uint64_t bytes) {
    const std::lock_guard lock{mutex_};
    turn();
    seconds_[slot(now_)] += bytes;
    total_ += bytes;
    ++files_;
  }
  // Bytes a second.
  std::uint64_t rate() {
    const std::lock_guard lock{mutex_};
    turn();
    std::uint64_t sum = 0;
    for (const auto s : seconds_) sum += s;
    const auto span = std::min<std::int64_t>(now_ - first_ + 1, static_cast<std::int64_t>(seconds_.size()));
    return sum / static_cast<std::uint64_t>(std::max<std::int64_t>(span, 1));
  }
  std::uint64_t total() {
    const std::lock_guard lock{mutex_};
    return total_;
  }
  std::uint64_t files() {
    const std::lock_guard lock{mutex_};
    return files_;
  }

 private:
  static std::int64_t second() {
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }
  static std::size_t slot(std::int64_t s) { return static_cast<std::size_t>(s % 10); }
  void turn() {
    const std::int64_t s = second();
    if (s - now_ >= 10) first_ = s;
    for (std::int64_t i = std::max(now_ + 1, s - 9); i <= s; ++i) seconds_[slot(i)] = 0;
    now_ = s;
  }
  std::mutex mutex_;
  std::array<std::uint64_t, 10> seconds_{};
  std::int64_t now_ = second(), first_ = now_;
  std::uint64_t total_ = 0, files_ = 0;
};

}  // namespace ferryfs::remote
