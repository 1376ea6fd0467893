// A timer for second looks at the source: a fetched picture that is young is to show once more as it was.
#pragma once

#include <chrono>
#include <functional>
#include <map>

#include "index/base/mutex.hpp"
#include "index/base/thread.hpp"

namespace ferryfs::remote {

class recheck_timer {
 public:
  using clock = std::chrono::steady_clock;
  // Calls `look` at that time, or as soon as this is stopped, on the one thread of this or, after `stop`, on the
  // caller's. `look` must not block for long. Threads: any.
  void at(clock::time_point when, std::function<void()> look);
  // Calls all that wait at once, and from now on each as it comes.
  void stop();

 private:
  void run(const std::stop_token& stop);
  mutex mutex_;
  condition wake_;
  std::multimap<clock::time_point, std::function<void()>> waiting_ GUARDED_BY(mutex_);
  bool stopped_ GUARDED_BY(mutex_) = false;
  thread thread_;  // from the first of them on
};

}  // namespace ferryfs::remote
