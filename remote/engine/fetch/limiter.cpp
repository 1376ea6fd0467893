#include "remote/engine/fetch/limiter.hpp"

#include <algorithm>

#include "index/base/clock.hpp"

namespace ferryfs::remote {

void limiter::set(std::uint64_t rate) noexcept { rate_ = rate; }

bool limiter::take(std::uint64_t bytes) {
  if (held_) return false;
  const double rate = static_cast<double>(rate_.load());
  if (rate == 0) return true;
  const lock held{mutex_};
  const auto now = steady_now();
  const double burst = rate / 10;  // a tenth of a second's worth, saved while nothing was requested
  tokens_ = std::min(burst, tokens_ + rate * std::chrono::duration<double>(now - filled_).count());
  filled_ = now;
  if (tokens_ <= 0) return false;
  tokens_ -= static_cast<double>(bytes);
  return true;
}

}  // namespace ferryfs::remote
