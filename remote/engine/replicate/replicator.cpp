#include "remote/engine/replicate/replicator.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <chrono>
#include <utility>

#include "index/base/clock.hpp"
#include "index/base/exception_barrier.hpp"
#include "index/base/path.hpp"
#include "index/base/time.hpp"
#include "index/base/wait_for_stop.hpp"
#include "index/update/fetch_result.hpp"

namespace ferryfs::remote {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_uncommitted = 8000;  // written, and waiting to be durable
constexpr auto retry_tick = 2s;                 // how often failed or young gaps are looked at

}  // namespace

replicator::replicator(dependencies d, std::uint64_t min_free)
    : dependencies_(d),
      queue_(d.readers),
      room_(d.where, min_free),
      local_(d.where, d.index, d.readers, d.links),
      other_times_(d.where, d.source, d.index) {
  d.fetch.on_low_watermark(d.source.max_in_flight() * 3 / 4, [this] {
    {
      const lock held{mutex_};
      low_ = true;
    }
    wake_.notify_all();
  });
  thread_ = thread{"replicator", [this](const std::stop_token& stop) { run(stop); }};
}

replicator::~replicator() { stop(); }

void replicator::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void replicator::pause() { paused_ = true; }

void replicator::resume() {
  paused_ = false;
  look_again();
}

void replicator::look_again() {
  {
    const lock held{mutex_};
    again_ = true;
    standstill_.end();
  }
  wake_.notify_all();
}

void replicator::when_idle(std::function<void()> call) {
  {
    const lock held{mutex_};
    idle_calls_.push_back(std::move(call));
    again_ = true;
  }
  wake_.notify_all();
}

std::string replicator::blocked_by() {
  const lock held{mutex_};
  return standstill_.why();
}

room::shortage replicator::waiting() {
  const lock held{mutex_};
  return waiting_;
}

void replicator::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    try {
      return work(stop);
    } catch (...) {  // of the index: it is tried again, as with a full disk
      stand_still(text_of(std::current_exception()), stop);
    }
  }
}

// Callers of `when_idle` are called when it was tried twice.
void replicator::stand_still(const std::string& why, const std::stop_token& stop) {
  log_once("replication stands still: " + why);
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

void replicator::call_all(const std::vector<std::function<void()>>& calls) {
  for (const auto& call : calls) contain("end of replication", call);
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
    local_.touch();  // a reader may bring the last of them
  else
    local_.finish_directories();
  std::vector<std::function<void()>> calls;
  {
    const bool waits = gaps && (seen_young_ || !dependencies_.source.state().reachable);
    const lock held{mutex_};
    // A call that came since the last look at the queue waits for the next one.
    if (!again_ && (!waits || standstill_.is_on())) calls = std::exchange(idle_calls_, {});
  }
  call_all(calls);
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
  spdlog::error("replication stands still: {}", why);
  standstill_.begin(std::move(why), steady_now());
}

// Starts fetches up to the archive's depth. False: the queue has no more for now.
bool replicator::fill() {
  while (!paused_) {
    room_.measure();
    {
      const lock held{mutex_};
      low_ = false;
      if (in_flight_.size() >= most_uncommitted + dependencies_.source.max_in_flight()) return true;
      if (standstill_.is_on() || room_.is_full()) return false;
    }
    if (dependencies_.fetch.transfers() >= dependencies_.source.max_in_flight()) return true;
    if (!dependencies_.source.state().reachable) return false;
    bool moved = false;
    for (const entry& gap : queue_.next()) {
      if (queue_.pass(gap)) moved = true;
      if (try_start(gap)) moved = true;
    }
    if (!moved) return false;
  }
  return false;
}

// An exception of one gap does not end the pass; one of the disk does.
bool replicator::try_start(const entry& gap) {
  bool started = false;
  const auto thrown = contain("replication", [&] { started = start(gap); });
  if (thrown && failure_of(thrown, "").why == cause::local_error) std::rethrow_exception(thrown);
  return started;
}

bool replicator::start(const entry& gap) {
  std::string path = queue_.path_of(gap);
  if (path.empty()) return false;
  if (!S_ISREG(gap.source->mode)) {
    if (auto why = local_.make(gap)) fail(gap.ino, *std::move(why));
    return false;
  }
  if (!dependencies_.fetch.rest().is_quiescent(gap.ino, gap.source->size, to_seconds(gap.source->mtime))) {
    seen_young_ = true;
    return false;
  }
  if (gap.is_undecided()) return ask_for_digest(gap, path);
  if (!begin(gap, path)) return false;
  try {
    dependencies_.fetch.fetch(gap, std::move(path), priority::background,
                              [this, ino = gap.ino](const auto& why) { on_end(ino, why); });
  } catch (...) {  // it was not begun
    on_end(gap.ino, failure_of(std::current_exception(), printable(gap.name)));
    throw;
  }
  return true;
}

// Enters the gap as in flight. False: it is, or the disk has no room for it.
bool replicator::begin(const entry& gap, const std::string& path) {
  const std::uint64_t size = gap.source->size;
  {
    const lock held{mutex_};
    if (in_flight_.contains(gap.ino)) return false;
    const auto verdict = room_.judge(size, dependencies_.fetch.reserved_bytes());
    if (verdict == room::verdict::fits) return in_flight_.insert(gap.ino).second;
    if (verdict != room::verdict::never_fits) return false;
  }
  fail(gap.ino,
       fmt::format("{}: has {} bytes, and the destination's whole disk {}", printable(path), size, room_.capacity()));
  return false;
}

bool replicator::ask_for_digest(const entry& gap, const std::string& path) {
  {
    const lock held{mutex_};
    if (!in_flight_.insert(gap.ino).second) return false;
  }
  const auto on_digest = [this, gap](const std::optional<failure>& why, bool same) {
    if (why) return on_end(gap.ino, why);
    {
      const lock held{mutex_};
      digested_.push_back({gap, same});
    }
    wake_.notify_all();
  };
  if (const auto thrown = contain("replication", [&] { other_times_.ask(gap, path, on_digest); }))
    on_end(gap.ino, failure_of(thrown, printable(path)));
  return true;
}

void replicator::apply_digests() {
  std::vector<digested> some;
  {
    const lock held{mutex_};
    some.swap(digested_);
  }
  for (const digested& one : some) {
    const auto thrown = contain("a picture of another time", [&] { other_times_.apply(one.gap, one.same); });
    on_end(one.gap.ino, thrown ? std::optional(failure_of(thrown, printable(one.gap.name))) : std::nullopt);
    if (!thrown) look_again();
  }
}

void replicator::fail(inode ino, std::string why) {
  dependencies_.index.post([ino, why = std::move(why), now = wall_seconds()](index::transaction& t) {
    index::apply_fetch_failure(t, ino, why, now);
  });
}

// A picture that was in flight is local, or failed.
void replicator::on_end(inode ino, const std::optional<failure>& why) {
  bool news = why.has_value();
  if (!why) local_.touch();
  {
    const lock held{mutex_};
    in_flight_.erase(ino);
    news = news || in_flight_.empty();
    if (in_flight_.size() == most_uncommitted) low_ = news = true;
    if (why && why->of_disk() && !standstill_.is_on()) block(why->text);
  }
  if (news) wake_.notify_all();
}

}  // namespace ferryfs::remote
