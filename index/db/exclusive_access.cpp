#include "index/db/exclusive_access.hpp"

#include <utility>

#include "index/base/clock.hpp"

namespace ferryfs::index {
namespace {

constexpr std::size_t most_queued = 512;  // jobs; a job is a batch of rows, so this bounds memory
constexpr std::size_t most_grouped = 64;  // jobs a transaction

}  // namespace

// Each that may wait says so before it knows whether it has to. The thread that has the access never does.
void exclusive_access::check_order(const lock_place& place) const noexcept {
  if (!jobs_.is_held() && !transaction_.is_held()) place.check();
}

void exclusive_access::post(queued_job work) {
  check_order(jobs_);
  {
    lock held{mutex_};
    if (!is_mine()) has_room_.wait(held, [&]() REQUIRES(mutex_) { return queue_.size() < most_queued || stop_; });
    queue_.push_back(std::move(work));
  }
  has_work_.notify_one();
}

bool exclusive_access::begin_group(std::vector<queued_job>& group) {
  {
    lock held{mutex_};
    while (is_running() || !has_work()) {
      writer_waits_ = is_running();
      state_ == state::pending ? void(has_work_.wait_until(held, due_)) : has_work_.wait(held);
    }
    if (queue_.empty() && !has_pending()) return false;
    begin();
    while (!queue_.empty() && group.size() < most_grouped) {
      group.push_back(std::move(queue_.front()));
      queue_.pop_front();
    }
  }
  has_room_.notify_all();
  jobs_.enter();
  return true;
}

bool exclusive_access::begin_if_idle() {
  jobs_.check();  // else the caller waits for its job
  {
    const lock held{mutex_};
    if (is_running() || !queue_.empty() || stop_) return false;
    begin();
  }
  jobs_.enter();
  return true;
}

bool exclusive_access::begin_if_pending() {
  check_order(transaction_);
  if (!has_pending()) return false;
  {
    lock held{mutex_};
    if (is_mine()) return false;
    is_free_.wait(held, [&]() REQUIRES(mutex_) { return !is_running() || !has_pending(); });
    if (!has_pending()) return false;
    begin();
  }
  transaction_.enter();
  return true;
}

void exclusive_access::begin_when_free() {
  jobs_.check();
  {
    lock held{mutex_};
    is_free_.wait(held, [&]() REQUIRES(mutex_) { return !is_running(); });
    begin();
  }
  jobs_.enter();
}

void exclusive_access::begin() {
  state_ = has_pending() ? state::running_pending : state::running;
  runner_ = thread::self();
}

void exclusive_access::end() {
  transaction_.leave();
  jobs_.leave();
  bool wake_writer = false;
  {
    const lock held{mutex_};
    state_ = has_pending() ? state::pending : state::idle;
    wake_writer = std::exchange(writer_waits_, false) || has_work();
  }
  if (wake_writer) has_work_.notify_one();
  is_free_.notify_all();
}

// For the writer's thread.
bool exclusive_access::has_work() const { return !queue_.empty() || stop_ || (has_pending() && steady_now() >= due_); }

void exclusive_access::set_pending(std::chrono::milliseconds longest) {
  {
    const lock held{mutex_};
    due_ = steady_now() + longest;
    state_ = state::running_pending;
  }
  has_work_.notify_one();  // the writer's thread commits when it is due
}

void exclusive_access::clear_pending() {
  {
    const lock held{mutex_};
    state_ = state::running;
  }
  is_free_.notify_all();
}

void exclusive_access::wait_until_free() {
  lock held{mutex_};
  is_free_.wait(held, [&]() REQUIRES(mutex_) { return !is_running() && queue_.empty(); });
}

void exclusive_access::stop() {
  {
    const lock held{mutex_};
    stop_ = true;
  }
  has_work_.notify_all();
}

}  // namespace ferryfs::index
