// Fetched pictures that are young, and wait until the source shows them once more as they were.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

namespace ferryfs::remote {

class second_looks {
 public:
  using clock = std::chrono::steady_clock;
  // Calls `look` at that time, or as soon as this is stopped. On a thread of its own; must not block for long.
  void at(clock::time_point when, std::function<void()> look);
  // Those that wait are called now, and those that come are called at once.
  void stop();

 private:
  void run(const std::stop_token& stop);
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::multimap<clock::time_point, std::function<void()>> waiting_;
  bool stopped_ = false;
  std::jthread thread_;  // from the first of them on
};

}  // namespace ferryfs::remote
