#include "remote/source/sftp/tasks_in_hand.hpp"

#include <utility>

#include "index/base/exception_barrier.hpp"
#include "remote/source/sftp/read_task.hpp"

namespace ferryfs::remote::sftp {

using priority_class = queue::priority_class;

std::shared_ptr<task> tasks_in_hand::next() {
  if (reads_alone_ || peers_.is_lent(role_.number)) return nullptr;
  if (may_take_demand())
    if (auto t = queue_.take(priority_class::demand)) return t;
  if (may_take_look())
    if (auto t = queue_.take(priority_class::look)) return t;
  if (may_take_listing())
    if (auto t = queue_.take(priority_class::listing)) return t;
  if (may_take_background())
    if (auto t = queue_.take(priority_class::background)) return t;
  return may_take_alone() ? queue_.take(priority_class::alone) : nullptr;
}

bool tasks_in_hand::has_work() const {
  if (peers_.is_lent(role_.number)) return count_ == 0;
  if (reads_alone_) return false;
  return (may_take_demand() && queue_.has(priority_class::demand)) ||
         (may_take_look() && queue_.has(priority_class::look)) ||
         (may_take_listing() && queue_.has(priority_class::listing)) ||
         (may_take_background() && queue_.has(priority_class::background)) ||
         (may_take_alone() && queue_.has(priority_class::alone));
}

bool tasks_in_hand::take(request_sender& w) {
  bool took = false;
  while (auto t = next()) {
    ++count_;
    took = true;
    reads_alone_ = queue_.is_isolated(*t);
    if (const auto thrown = contain("request", [&] { t->start(w); })) fail_task(*t, failure_of(thrown, w.where()));
    if (t->ended()) drop();
  }
  return took;
}

void tasks_in_hand::add_transfer(std::shared_ptr<transfer> t) {
  t->urgent() ? transfers_.push_front(std::move(t)) : transfers_.push_back(std::move(t));
}

void tasks_in_hand::remove_transfer(const task& t) {
  std::erase_if(transfers_, [&](const auto& file) { return file.get() == &t; });
}

bool tasks_in_hand::request_more(request_sender& w) {
  bool requested = false, throttled = false;
  // A reader may have come for a file that was taken for the background.
  for (auto at = transfers_.begin(); at != transfers_.end();) {
    const auto here = at++;
    if ((*here)->urgent()) transfers_.splice(transfers_.begin(), transfers_, here);
  }
  for (auto at = transfers_.begin(); at != transfers_.end() && flow_.may_request_more() && stream_.has_room();) {
    const bool was_ended = (*at)->ended();
    auto step = next_step::done;
    if (const auto thrown = contain("request", [&] { step = (*at)->request_more(w); }))
      fail_task(**at, failure_of(thrown, w.where()));
    if (!was_ended && (*at)->ended()) drop(), step = next_step::done;
    requested = requested || step != next_step::throttled;
    throttled = throttled || step == next_step::throttled;
    if (step == next_step::done)
      at = transfers_.erase(at);
    else if (step == next_step::throttled)
      ++at;
  }
  flow_.set_throttled(throttled);
  return requested;
}

void tasks_in_hand::end(const std::shared_ptr<task>& t, const failure& why) {
  const bool was_ended = t->counted().ended();
  remove_transfer(*t);
  fail_task(*t, why);
  if (!was_ended && t->counted().ended()) drop();
}

void tasks_in_hand::record_end(const task& t) {
  --count_;
  if (!std::exchange(reads_alone_, false)) return;
  if (const auto* file = dynamic_cast<const read_task*>(&t)) queue_.stop_isolating(file->to()->path());
}

void tasks_in_hand::isolate(const task& t) {
  if (const auto* file = dynamic_cast<const read_task*>(&t)) queue_.isolate(file->to()->path());
}

void tasks_in_hand::end_transfers(const failure& why) {
  for (const auto& file : std::exchange(transfers_, {})) fail_task(*file, why);
}

}  // namespace ferryfs::remote::sftp
