#include "remote/engine/fetch/recheck_timer.hpp"

#include "index/base/clock.hpp"
#include "index/base/exception_barrier.hpp"

namespace ferryfs::remote {

void recheck_timer::at(clock::time_point when, std::function<void()> look) {
  {
    const lock held{mutex_};
    if (!stopped_) {
      waiting_.emplace(when, std::exchange(look, nullptr));
      if (!thread_.joinable()) thread_ = thread{"rechecks", [this](const std::stop_token& stop) { run(stop); }};
    }
  }
  look ? look() : wake_.notify_all();
}

void recheck_timer::stop() {
  {
    const lock held{mutex_};
    stopped_ = true;
  }
  wake_.notify_all();
}

void recheck_timer::run(const std::stop_token& stop) {
  lock held{mutex_};
  while (!stop.stop_requested() || !waiting_.empty()) {
    if (waiting_.empty()) {
      wake_.wait(held, stop, [&]() REQUIRES(mutex_) { return !waiting_.empty(); });
      continue;
    }
    const auto first = waiting_.begin();
    const auto due = first->first;
    if (!stopped_ && steady_now() < due) {
      wake_.wait_until(held, stop, due, [&]() REQUIRES(mutex_) { return stopped_ || waiting_.begin()->first < due; });
      if (stop.stop_requested()) stopped_ = true;
      continue;
    }
    const auto look = std::move(first->second);
    waiting_.erase(first);
    held.unlock();
    contain("second look", look);
    held.relock();
  }
}

}  // namespace ferryfs::remote
