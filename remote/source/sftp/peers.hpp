// The state that the connections of one archive share: when each heard from the server, and whether the first of
// them is lent to the digests. Threads: any; there is no lock.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>

#include "index/base/clock.hpp"

namespace ferryfs::remote::sftp {

class peers {
 public:
  using clock = std::chrono::steady_clock;

  // Connection `number` heard from the server.
  void record_activity(std::size_t number, clock::time_point when) noexcept {
    last_activity_[number % most_connections] = when;
  }
  // When one of the connections besides `number` last did.
  clock::time_point last_activity_besides(std::size_t number) const noexcept {
    clock::time_point last{};
    for (std::size_t i = 0; i < most_connections; ++i)
      if (i != number % most_connections) last = std::max(last, last_activity_[i].load());
    return last;
  }

  // The first connection is to be closed as soon as it has no task, or when this has lasted too long: another
  // connection to the same server takes its place until `take_back`. `only_one_left`: of the others there is but one,
  // which then does the background work as well.
  void lend_first(bool only_one_left) noexcept { only_one_left_ = only_one_left, lent_since_ = steady_now(); }
  void take_back() noexcept { only_one_left_ = false, lent_since_ = clock::time_point{}; }
  bool is_only_one_left() const noexcept { return only_one_left_; }
  bool is_lent(std::size_t number) const noexcept { return number == 0 && lent_since_.load() != clock::time_point{}; }
  clock::duration lent_for() const noexcept { return steady_now() - lent_since_.load(); }

 private:
  static constexpr std::size_t most_connections = 64;

  std::array<std::atomic<clock::time_point>, most_connections> last_activity_{};
  std::atomic<bool> only_one_left_ = false;
  std::atomic<clock::time_point> lent_since_ = clock::time_point{};
};

}  // namespace ferryfs::remote::sftp
