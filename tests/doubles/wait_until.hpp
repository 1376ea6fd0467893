// The one place where a test may pause.
#pragma once

#include <algorithm>
#include <chrono>
#include <thread>

namespace ferryfs::test {

// Asks `predicate` again and again, at least once, until it is true or `deadline` has passed; returns its last answer.
template <class Predicate>
bool wait_until(Predicate&& predicate, std::chrono::milliseconds deadline = std::chrono::seconds(10)) {
  using namespace std::chrono_literals;
  const auto end = std::chrono::steady_clock::now() + deadline;
  auto pause = std::chrono::microseconds(500);
  for (;;) {
    if (predicate()) return true;
    const auto now = std::chrono::steady_clock::now();
    if (now >= end) return false;
    std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(pause, end - now));
    pause = std::min<std::chrono::microseconds>(pause * 2, 20ms);
  }
}

}  // namespace ferryfs::test
