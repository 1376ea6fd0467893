// The replicator's own thread: it looks through the queue again and again, and is blocked while the destination's
// disk or the index keeps it from it.
#include <spdlog/spdlog.h>

#include <chrono>
#include <utility>

#include "index/base/clock.hpp"
#include "index/base/exception_barrier.hpp"
#include "index/base/wait_for_stop.hpp"
#include "remote/engine/replicate/replicator.hpp"

namespace ferryfs::remote {
namespace {

using namespace std::chrono_literals;

constexpr auto retry_tick = 2s;  // how often failed or young gaps are looked at

}  // namespace

void replicator::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    try {
      return work(stop);
    } catch (...) {  // of the index: it is tried again, as with a full disk
      stand_still(text_of(std::current_exception()), stop);
    }
  }
}

void replicator::work(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    apply_digests();
    const bool can = !paused_ && dependencies_.source.state().reachable && has_space();
    const bool more = can && fill();
    lock held{mutex_};
    if (std::exchange(again_, false)) {
      rewind();
      continue;  // `can` may be of before: resume() is one of those that say so
    }
    if (more) {
      // Until a good part of what is in flight has arrived, or is local.
      wake_.wait(held, stop, [&]() REQUIRES(mutex_) { return low_ || again_ || !digested_.empty(); });
      low_ = false;
      continue;
    }
    if (!in_flight_.empty()) {
      wake_.wait(held, stop, [&]() REQUIRES(mutex_) { return in_flight_.empty() || again_ || !digested_.empty(); });
      rewind();  // what went wrong on the way is found again
      continue;
    }
    if (can) end_look();
    held.unlock();
    idle();
    held.relock();
    wake_.wait_for(held, stop, retry_tick, [&]() REQUIRES(mutex_) { return again_; });
    postponed_.clear();
    rewind();
  }
  apply_digests();  // the source is stopped first: no more come
}

void replicator::rewind() {
  queue_.rewind();
  room_.rewind();
  seen_young_ = false;
}

// The queue was looked through, and nothing of it is in flight.
void replicator::end_look() {
  waiting_ = room_.waiting();
  if (waiting_.files > 0 && !standstill_.is_on()) block(room_.text_of(waiting_));
}

void replicator::idle() {
  if (paused_) return;
  dependencies_.index.run([](index::transaction&) {});  // what was made here is in the index
  const auto totals = dependencies_.readers.borrow()->totals();
  const bool gaps = totals.of(state::missing).files > 0;
  if (gaps)
    entry_maker_.touch();  // a reader may bring the last of them
  else
    entry_maker_.finish_directories();
  std::vector<std::function<void()>> calls;
  {
    const bool waits = gaps && (seen_young_ || !dependencies_.source.state().reachable);
    const lock held{mutex_};
    // A call that came since the last look at the queue waits for the next one.
    if (!again_ && (!waits || standstill_.is_on())) calls = std::exchange(idle_calls_, {});
  }
  call_all(calls);
}

void replicator::call_all(const std::vector<std::function<void()>>& calls) {
  for (const auto& call : calls) contain("end of replication", call);
}

bool replicator::has_space() {
  constexpr auto longest = 30s;  // then it is tried again: somebody may have made room
  room_.measure();
  room_.start_filling();
  const lock held{mutex_};
  if (standstill_.is_on() && standstill_.is_older_than(longest, steady_now())) standstill_.end();
  if (!standstill_.is_on() && room_.is_below_minimum()) block(room_.text_below_minimum());
  return !standstill_.is_on();
}

void replicator::block(std::string why) {
  spdlog::error("replication is blocked: {}", why);
  standstill_.begin(std::move(why), steady_now());
}

// Callers of `when_idle` are called when it was tried twice.
void replicator::stand_still(const std::string& why, const std::stop_token& stop) {
  log_once("replication is blocked: " + why);
  std::vector<std::function<void()>> calls;
  {
    const lock held{mutex_};
    const auto now = steady_now();
    if (standstill_.is_on() && !standstill_.is_older_than(3 * retry_tick, now)) calls = std::exchange(idle_calls_, {});
    standstill_.begin(why, now);
  }
  call_all(calls);
  wait_for_stop(stop, retry_tick);
}

}  // namespace ferryfs::remote
