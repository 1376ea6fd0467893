#include "index/base/serial_executor.hpp"

#include <memory>
#include <utility>

#include "index/base/clock.hpp"
#include "index/base/exception_barrier.hpp"
#include "index/base/promise.hpp"

namespace ferryfs::remote {

void serial_executor::start() {
  const lock held{mutex_};
  if (!has_thread_) start_thread();
}

void serial_executor::start_thread() {
  thread_ = thread{name_, [this](const std::stop_token& stop) { run(stop); }};
  has_thread_ = true;
}

void serial_executor::post(std::function<void()> work) {
  {
    const lock held{mutex_};
    add(steady_now(), std::move(work));
  }
  has_work_.notify_one();
}

void serial_executor::post_at(clock::time_point when, std::function<void()> work) {
  {
    const lock held{mutex_};
    add(when, std::move(work));
  }
  has_work_.notify_one();
}

void serial_executor::add(clock::time_point when, std::function<void()>&& work) {
  queue_.emplace(when, std::move(work));
  if (has_thread_) return;
  // Where the machine has no thread for it now, the next that is posted tries again.
  contain(name_, [&]() REQUIRES(mutex_) { start_thread(); });
}

void serial_executor::stop_waiting() {
  {
    const lock held{mutex_};
    waits_ = false;
  }
  has_work_.notify_one();
}

void serial_executor::drain() {
  const auto last = std::make_shared<promise<answer_mark>>();
  {
    const lock held{mutex_};
    if (!has_thread_) return;
    add(waits_ ? steady_now() : clock::time_point::max(), [last] { last->set_value({}); });
  }
  has_work_.notify_one();
  last->get();
}

bool serial_executor::is_due(clock::time_point when) const { return !waits_ || when <= steady_now(); }

void serial_executor::run(const std::stop_token& stop) {
  lock held{mutex_};
  while (has_work_.wait(held, stop, [&]() REQUIRES(mutex_) { return !queue_.empty(); }) || !queue_.empty()) {
    const auto first = queue_.begin();
    if (const auto due = first->first; !is_due(due)) {
      if (stop.stop_requested()) return;
      has_work_.wait_until(held, stop, due, [&]() REQUIRES(mutex_) { return !waits_ || queue_.begin()->first < due; });
      continue;
    }
    auto work = std::move(first->second);
    queue_.erase(first);
    held.unlock();
    contain(name_, work);
    work = nullptr;  // frees what the item holds, outside the lock
    held.relock();
  }
}

}  // namespace ferryfs::remote
