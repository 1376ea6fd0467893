// Random choices of one seed.
#pragma once

#include <chrono>
#include <cstdint>
#include <random>
#include <vector>

namespace ferryfs::test {

class dice {
 public:
  explicit dice(std::uint64_t seed) : random_(seed) {}

  std::uint64_t below(std::uint64_t n) { return random_() % n; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  template <typename T>
  const T& any(const std::vector<T>& of) {
    return of[below(of.size())];
  }
  // Short ones and long ones are equally likely.
  std::chrono::microseconds up_to(std::chrono::microseconds longest) {
    std::uint64_t scale = static_cast<std::uint64_t>(longest.count());
    scale >>= below(16);
    return std::chrono::microseconds(below(scale + 1));
  }
  std::mt19937_64& engine() noexcept { return random_; }

 private:
  std::mt19937_64 random_;
};

}  // namespace ferryfs::test
