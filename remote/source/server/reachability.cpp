#include "remote/source/server/reachability.hpp"

#include <utility>

namespace ferryfs::remote::sftp {

archive::health reachability::state() const {
  const lock held{mutex_};
  return health_;
}

void reachability::set_listener(std::function<void(const archive::health&)> on_change) {
  const lock held{mutex_};
  on_change_ = std::move(on_change);
}

failure reachability::last_failure() const {
  const lock held{mutex_};
  return last_;
}

void reachability::post(std::function<void()> call) {
  {
    const lock held{mutex_};
    if (!events_finished_) return events_.post(std::move(call));
  }
  call();
}

void reachability::finish_events() {
  {
    const lock held{mutex_};
    if (std::exchange(events_finished_, true)) return;
  }
  events_.drain();
}

void reachability::stop() {
  const lock held{mutex_};
  last_ = {cause::cancelled, "ferryfs is ending"};
  changed_.notify_all();
}

bool reachability::begin_login() {
  lock held{mutex_};
  changed_.wait(held, [&]() REQUIRES(mutex_) { return !is_logging_in_ || queue_.stopped(); });
  if (is_logging_in_) return false;
  is_logging_in_ = true;
  return true;
}

void reachability::end_login() {
  const lock held{mutex_};
  is_logging_in_ = false;
  changed_.notify_all();
}

void reachability::record_login() {
  const lock held{mutex_};
  ++greeting_;
}

void reachability::record_failed_greeting() {
  const lock held{mutex_};
  --greeting_;
}

void reachability::record_attempt() {
  tried_ = true;
  changed_.notify_all();
}

void reachability::record_connection() {
  lock held{mutex_};
  ++established_, --greeting_;
  record_attempt();
  if (health_.reachable) return;
  health_ = {true, ""};
  queue_.open();
  const auto on_change = on_change_;
  held.unlock();
  if (on_change) post([on_change] { on_change({true, ""}); });
}

// While other connections stand, it says nothing of the source; and a connection that is logged in says more of the
// source than the refused login of another: its greeting shows whether the source is up.
void reachability::record_failed_attempt(const failure& why, bool was_logged_in) {
  lock held{mutex_};
  last_ = why;
  if (established_ > 0 || (!was_logged_in && greeting_ > 0)) return;
  record_attempt();
  const bool changes = health_.reachable;
  health_ = {false, why.text};
  const auto on_change = on_change_;
  auto queued = queue_.close();
  held.unlock();
  post([queued = std::move(queued), why] {
    for (const auto& t : queued) fail_task(*t, why);
  });
  if (changes && on_change) post([on_change, why] { on_change({false, why.text}); });
}

void reachability::record_end() {
  const lock held{mutex_};
  --established_;
  changed_.notify_all();
}

// A lost or broken connection is made anew at once; where one fell silent, the source is down.
void reachability::record_loss(const failure& why) {
  {
    const lock held{mutex_};
    --established_;
    last_ = why;
    changed_.notify_all();
  }
  if (why.why == cause::timeout || why.why == cause::refused) record_failed_attempt(why, true);
}

std::size_t reachability::connections() const {
  const lock held{mutex_};
  return established_;
}

bool reachability::has_tried() const {
  const lock held{mutex_};
  return tried_;
}

void reachability::wait_until_tried() {
  lock held{mutex_};
  changed_.wait(held, [&]() REQUIRES(mutex_) { return tried_; });
}

void reachability::wait_for_connection() {
  lock held{mutex_};
  changed_.wait(held, [&]() REQUIRES(mutex_) { return established_ > 0 || queue_.stopped(); });
}

bool reachability::wait_for_two_connections(std::chrono::milliseconds at_most) {
  lock held{mutex_};
  changed_.wait_for(held, at_most, [&]() REQUIRES(mutex_) { return established_ > 1 || queue_.stopped(); });
  return established_ > 1;
}

void reachability::wait_for_fewer_connections(std::size_t than, std::chrono::milliseconds at_most) {
  lock held{mutex_};
  changed_.wait_for(held, at_most, [&]() REQUIRES(mutex_) { return established_ < than || queue_.stopped(); });
}

void reachability::sleep(std::chrono::milliseconds time) {
  lock held{mutex_};
  changed_.wait_for(held, time, [&] { return queue_.stopped().load(); });
}

void reachability::wait_while_first_is_lent() {
  lock held{mutex_};
  first_stands_ = false;
  changed_.notify_all();
  changed_.wait(held, [&] { return !peers_.is_lent(0) || queue_.stopped(); });
  first_stands_ = true;
}

void reachability::wait_until_first_has_ended(std::chrono::milliseconds at_most) {
  lock held{mutex_};
  changed_.wait_for(held, at_most, [&]() REQUIRES(mutex_) { return !first_stands_ || queue_.stopped(); });
}

void reachability::take_back_first() {
  const lock held{mutex_};
  peers_.take_back();
  changed_.notify_all();
}

}  // namespace ferryfs::remote::sftp
