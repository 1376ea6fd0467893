#include "remote/engine/push/push_queue.hpp"

#include <fmt/format.h>

#include "index/base/clock.hpp"
#include "index/base/path.hpp"

namespace ferryfs::remote {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_at_once = 128;
constexpr unsigned most_changes = 3;

}  // namespace

bool push_queue::wait_for_room() {
  lock held{mutex_};
  while (running_ >= most_at_once || !again_.empty()) {
    if (again_.empty()) {
      changed_.wait(held, stop_, [&]() REQUIRES(mutex_) { return running_ < most_at_once || !again_.empty(); });
    } else {
      const push_item next = take_again();
      held.unlock();
      if (!send_again(next)) return false;
      held.relock();
    }
    if (stop_.stop_requested()) {
      tally_.interrupt();
      return false;
    }
  }
  ++running_;
  return true;
}

push_item push_queue::take_again() {
  push_item next = std::move(again_.front());
  again_.pop_front();
  return next;
}

// False: the source stays away, or the push is to end.
bool push_queue::send_again(const push_item& p) {
  const bool reached = p.connection_losses == 0 || wait_for_source();
  reached ? send_(p) : release_slot();
  return reached;
}

bool push_queue::wait_for_source() {
  const auto end = steady_now() + source_timeout_;
  lock held{mutex_};
  while (!stop_.stop_requested()) {
    held.unlock();
    const auto health = source_.state();
    held.relock();
    if (health.reachable) return true;
    if (steady_now() > end) {
      tally_.lose_source(health.why);
      return false;
    }
    changed_.wait_for(held, stop_, 100ms, [] { return false; });
  }
  tally_.interrupt();
  return false;
}

bool push_queue::is_ended() {
  const lock held{mutex_};
  if (stop_.stop_requested()) tally_.interrupt();
  return tally_.is_ended();
}

void push_queue::drain() {
  lock held{mutex_};
  while (running_ > 0) {
    changed_.wait(held, [&]() REQUIRES(mutex_) { return running_ == 0 || !again_.empty(); });
    if (again_.empty()) continue;
    if (!tally_.was_ended() && !stop_.stop_requested()) {
      const push_item next = take_again();
      held.unlock();
      send_again(next);
      held.relock();
    } else {
      tally_.interrupt();
      running_ -= again_.size();
      again_.clear();
    }
  }
}

push_result push_queue::conclude() {
  const lock held{mutex_};
  return tally_.conclude();
}

void push_queue::count_sent(const push_item& p, const attributes& there) {
  const lock held{mutex_};
  tally_.count_sent(p, there);
}

void push_queue::count_already_there() {
  const lock held{mutex_};
  tally_.count_already_there();
}

void push_queue::set_accepted() {
  const lock held{mutex_};
  tally_.set_accepted();
}

void push_queue::refuse(const failure& why) {
  const lock held{mutex_};
  tally_.count_refusal(why);
}

void push_queue::abort() {
  const lock held{mutex_};
  tally_.abort();
}

push_result push_queue::so_far() {
  const lock held{mutex_};
  return tally_.result();
}

void push_queue::release_slot() {
  const lock held{mutex_};
  --running_;
  changed_.notify_all();
}

void push_queue::retry_or_refuse(const push_item& p, bool changed, const std::optional<failure>& why) {
  push_item next = p;
  const bool again = changed ? ++next.changes < most_changes
                             : why && why->why != cause::cancelled && why->of_connection() &&
                                   ++next.connection_losses < most_connection_losses;
  const lock held{mutex_};
  changed_.notify_all();
  if (again && !stop_.stop_requested()) return again_.push_back(std::move(next));
  --running_;
  if (again)
    tally_.interrupt();
  else if (changed)
    tally_.count_refusal(
        {cause::changed, fmt::format("{}: keeps changing while it is sent; push again later", printable(p.path))});
  else if (why)
    tally_.count_refusal(*why);
}

}  // namespace ferryfs::remote
