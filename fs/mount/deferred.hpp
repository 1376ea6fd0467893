// Work that an event starts and that must not keep the event's own thread: it waits for the disk or the index.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace ferryfs::fs {

class deferred {
 public:
  deferred() : thread_([this](const std::stop_token& stop) { run(stop); }) {}
  // Runs in order, on its one thread; what is posted is still run when it ends.
  void post(std::function<void()> work) {
    {
      const std::lock_guard lock{mutex_};
      queue_.push_back(std::move(work));
    }
    wake_.notify_one();
  }

 private:
  void run(const std::stop_token& stop) {
    std::unique_lock lock{mutex_};
    while (wake_.wait(lock, stop, [&] { return !queue_.empty(); }) || !queue_.empty()) {
      const auto work = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      work();
      lock.lock();
    }
  }
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<std::function<void()>> queue_;
  std::jthread thread_;
};

}  // namespace ferryfs::fs
