// How the replicator starts gaps, as many as the archive can use, and what the end of each means.
#include <fmt/format.h>
#include <sys/stat.h>

#include <utility>

#include "index/base/clock.hpp"
#include "index/base/exception_barrier.hpp"
#include "index/base/path.hpp"
#include "index/base/time.hpp"
#include "index/update/fetch_result.hpp"
#include "remote/engine/replicate/replicator.hpp"

namespace ferryfs::remote {
namespace {

constexpr std::size_t most_uncommitted = 8000;  // written, and waiting to be durable

}  // namespace

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
    if (auto why = entry_maker_.make(gap)) fail(gap.ino, *std::move(why));
    return false;
  }
  if (!dependencies_.fetch.file_quiescence().is_quiescent(gap.ino, gap.source->size, to_seconds(gap.source->mtime))) {
    seen_young_ = true;
    return false;
  }
  if (gap.awaits_digest()) return !postponed_.contains(gap.ino) && ask_for_digest(gap, path);
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
    {
      const lock held{mutex_};
      digested_.push_back({gap, why, same});
    }
    wake_.notify_all();
  };
  if (const auto thrown = contain("replication", [&] { time_differences_.ask(gap, path, on_digest); }))
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
    auto why = one.why;
    bool applied = false;
    const auto apply = [&] { applied = !why && time_differences_.apply(one.gap, one.same); };
    if (const auto thrown = contain("a picture of another time", apply))
      why = failure_of(thrown, printable(one.gap.name));
    // Else it would be asked for again at once, and again.
    if (!applied) postponed_.insert(one.gap.ino);
    on_end(one.gap.ino, why);
    if (applied) recheck();
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
  if (!why) entry_maker_.touch();
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
