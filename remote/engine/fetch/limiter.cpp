#include "remote/engine/fetch/limiter.hpp"

#include <algorithm>

#include "index/base/clock.hpp"

namespace ferryfs::remote {

void limiter::set(std::uint64_t rate) noexcept {
  rate_ = rate;
  paid_ = steady_now();
}

bool limiter::take(std::uint64_t bytes) {
  constexpr std::chrono::milliseconds saved{100};  // at most, of a time in which nothing was requested
  constexpr double longest = 3600;                 // seconds: a request is granted whole, and paid for afterwards
  if (held_) return false;
  const double rate = static_cast<double>(rate_.load());
  if (rate == 0) return true;
  const std::chrono::duration<double> price{std::min(static_cast<double>(bytes) / rate, longest)};
  auto paid = paid_.load();
  while (true) {
    const auto now = steady_now();
    if (paid >= now) return false;
    const auto next = std::max(paid, now - saved) + std::chrono::duration_cast<clock::duration>(price);
    if (paid_.compare_exchange_weak(paid, next)) return true;
  }
}

}  // namespace ferryfs::remote
