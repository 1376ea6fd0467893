#include "remote/engine/fetch/fetcher.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <cstdlib>

#include "index/base/exception_barrier.hpp"
#include "index/base/path.hpp"
#include "remote/engine/told.hpp"

namespace ferryfs::remote {
namespace {

constexpr std::size_t disk_threads = 2;
constexpr unsigned most_suspicions = 3;

}  // namespace

fetcher::fetcher(const destination& where, archive& source, index::writer& index, index::readers& readers,
                 limiter& limit, std::uint64_t min_free, std::chrono::seconds quiet)
    : where_(where),
      source_(source),
      index_(index),
      readers_(readers),
      limit_(limit),
      min_free_(min_free),
      unkept_(where, source, index),
      writers_(disk_threads),
      landing_(where, index, readers, callbacks_, [this](const auto& p, const auto& why) { landed(p, why); }),
      rest_(quiet) {}

void fetcher::drain() {
  looks_.stop();
  std::unique_lock lock{mutex_};
  empty_.wait(lock, [&] { return flights_.empty() && on_the_way_ == 0 && telling_ == 0; });
  lock.unlock();
  unkept_.drain();
}

std::shared_ptr<picture> fetcher::make(const entry& e, std::uint64_t begun_at, std::string path, bool demanded) {
  auto p = std::make_shared<picture>(
      picture::services{where_, writers_, limit_, min_free_, owed_, heard_,
                        [this](const auto& self, const auto& why, const auto& after) { ended(self, why, after); }},
      e, begun_at, std::move(path), demanded);
  flights_.emplace(e.ino, flight{p, {}});
  ++on_the_way_;
  return p;
}

std::uint64_t fetcher::want(inode ino, std::uint64_t offset, std::uint64_t length, waiter w) {
  const std::uint64_t id = next_id_++;
  std::unique_lock lock{mutex_};
  std::shared_ptr<picture> p;
  if (const auto at = flights_.find(ino); at != flights_.end()) {
    p = at->second.file;
    lock.unlock();
    const bool raise = !p->demanded();
    p->wait_for(offset, length, id, or_unkept(ino, offset, length, id, std::move(w)));
    if (raise) this->raise(p);
    return id;
  }
  // The second look: it may have landed between the caller's look at the index and this one.
  const auto begun_at = where_.changes().load();
  const auto reader = readers_.borrow();
  const auto e = reader->by_inode(ino);
  const auto path = e ? reader->source_path(ino) : std::nullopt;
  if (!e || !path || e->is_local() || !e->source) {
    lock.unlock();
    e && e->is_local() ? w(now_local{}) : w(failure{cause::not_found, fmt::format("inode {}: no such picture", ino)});
    return id;
  }
  if (!fits(e->source->size)) {
    lock.unlock();
    give_up_unread(e->source->size);
    unkept_.read(*e, *path, offset, length, id, std::move(w));
    return id;
  }
  p = make(*e, begun_at, *path, true);
  lock.unlock();
  p->wait_for(offset, length, id, or_unkept(ino, offset, length, id, std::move(w)));
  read(p, priority::demand);
  return id;
}

// Every fetch ends, also one that the archive does not take.
void fetcher::read(const std::shared_ptr<picture>& p, priority where) {
  if (const auto thrown = contain("fetch", [&] { source_.read(p, where); }))
    p->finished(failure_of(thrown, printable(p->path())), {});
}

void fetcher::raise(const std::shared_ptr<picture>& p) noexcept {
  contain("fetch", [&] { source_.promote(p); });
}

bool fetcher::fits(std::uint64_t size) const {
  const std::uint64_t free = where_.free_bytes();
  return free >= min_free_ && free - min_free_ >= owed_ + size;
}

// Where a picture of this size finds no room: what a reader began and has left is not worth its own. It is taken away
// as soon as the source has answered what it was asked, which makes room for the next.
void fetcher::give_up_unread(std::uint64_t size) {
  std::vector<std::shared_ptr<picture>> unread;
  {
    const std::lock_guard lock{mutex_};
    for (const auto& [ino, f] : flights_)
      if (f.calls.empty() && !f.file->is_complete() && !f.file->awaited() && !open_.is_open(ino))
        unread.push_back(f.file);
  }
  std::uint64_t freed = 0;
  for (const auto& p : unread) {
    if (freed >= size) return;
    p->give_up({cause::no_room, printable(p->path()) + ": given up unread, as others want its room on the disk"});
    freed += p->size();
  }
}

// What the disk has no room for in the end is read without it.
waiter fetcher::or_unkept(inode ino, std::uint64_t offset, std::uint64_t length, std::uint64_t id, waiter w) {
  return [this, ino, offset, length, id, w = std::move(w)](const outcome& o) {
    const auto* why = std::get_if<failure>(&o);
    if (why == nullptr || !why->of_disk()) return w(o);
    std::optional<entry> e;
    std::optional<std::string> path;
    {
      const auto reader = readers_.borrow();
      e = reader->by_inode(ino);
      path = e ? reader->source_path(ino) : std::nullopt;
    }
    if (!path || !e->source || !e->is_gap()) return w(o);
    unkept_.read(*e, *path, offset, length, id, w);
  };
}

void fetcher::forget(inode ino, std::uint64_t id) {
  unkept_.forget(id);
  const std::lock_guard lock{mutex_};
  if (const auto at = flights_.find(ino); at != flights_.end()) at->second.file->forget(id);
}

fetcher::clock::time_point fetcher::last_sign(inode ino) {
  const std::lock_guard lock{mutex_};
  const auto at = flights_.find(ino);
  if (at == flights_.end()) return unkept_.heard(ino);
  const auto of_picture = at->second.file->heard();
  return of_picture == clock::time_point{} ? heard_.load() : of_picture;
}

void fetcher::fetch(const entry& gap, std::string path, priority where, done call) {
  std::unique_lock lock{mutex_};
  if (const auto at = flights_.find(gap.ino); at != flights_.end()) {
    at->second.calls.push_back(std::move(call));
    const auto p = at->second.file;
    lock.unlock();
    if (where == priority::demand && !p->demanded()) p->demand(), raise(p);
    return;
  }
  // The second look, as above.
  const auto begun_at = where_.changes().load();
  const auto now = readers_.borrow()->by_inode(gap.ino);
  const bool failed_since = now && now->state == state::failed && gap.state == state::missing;
  const bool unwanted = failed_since || (now && now->state == state::skipped);
  if (!now || !now->is_gap() || (where == priority::background && unwanted)) {
    lock.unlock();
    if (now && now->is_local()) return call(std::nullopt);
    return call(failure{cause::not_found, printable(path) + ": is to be fetched no more"});
  }
  if (where == priority::demand && !fits(now->source->size)) {
    lock.unlock();
    give_up_unread(now->source->size);
    return call(
        failure{cause::no_room, fmt::format("{}: the destination's disk has no room for its {} bytes (--min-free "
                                            "leaves {}); make some",
                                            printable(path), now->source->size, min_free_)});
  }
  const auto p = make(*now, begun_at, std::move(path), where == priority::demand);
  flights_[gap.ino].calls.push_back(std::move(call));
  lock.unlock();
  read(p, where);
  // A reader that came before it was queued found nothing to raise.
  if (where == priority::background && p->demanded()) raise(p);
}

// Somebody waits for a part of it, or, as he wants to write to it, for all.
bool fetcher::is_awaited(picture& p) {
  if (p.awaited()) return true;
  if (!p.demanded()) return false;
  const std::lock_guard lock{mutex_};
  const auto at = flights_.find(p.row().ino);
  return at != flights_.end() && !at->second.calls.empty();
}

// Counts a connection that ended at this picture. True: too many did for the line to be the reason.
bool fetcher::dies_of(inode ino) {
  const std::lock_guard lock{mutex_};
  if (++suspects_[ino] < most_suspicions) return false;
  suspects_.erase(ino);
  return true;
}

// On a disk thread: the last byte is written, or will never come.
void fetcher::ended(const std::shared_ptr<picture>& p, const std::optional<failure>& why, const attributes& after) {
  if (const auto thrown = contain("fetch", [&] { judge(p, why, after); }))
    failed(p, failure_of(thrown, printable(p->path())), {});
}

// Whatever it throws, it has not handed the picture on.
void fetcher::judge(const std::shared_ptr<picture>& p, const std::optional<failure>& why, const attributes& after) {
  if (why && why->suspect && why->of_connection() && dies_of(p->row().ino))
    return failed(p,
                  {cause::source_error, fmt::format("{}: the connection ended {} times at this picture: {}",
                                                    printable(p->path()), most_suspicions, why->text)},
                  after);
  if (why && why->of_connection() && why->why != cause::cancelled && is_awaited(*p) && source_.state().reachable &&
      p->try_again())
    return read(p, priority::demand);
  if (why) return failed(p, *why, after);
  switch (p->still_lacks(after)) {
    case picture::lacks::nothing:
      return complete(p, after, {});
    case picture::lacks::size:
      return look_at(p, after);
    case picture::lacks::end:
      break;
  }
  if (p->try_again()) return read(p, p->demanded() ? priority::demand : priority::background);
  failed(p, {cause::source_error, fmt::format("{}: the source does not tell where it ends", printable(p->path()))},
         after);
}

// The listing and the open file told another number of bytes than came: a look at the path may tell that.
void fetcher::look_at(const std::shared_ptr<picture>& p, const attributes& after) {
  source_.stat(p->path(), [this, p, after](const std::optional<failure>& why, const attributes& seen) {
    writers_.post(p->row().ino, 0, [this, p, after, why, seen] {
      const bool known = !why || !why->of_connection();
      const auto thrown = contain("fetch", [&] {
        known ? complete(p, after, why ? std::nullopt : std::optional(seen)) : failed(p, *why, after);
      });
      if (thrown) failed(p, failure_of(thrown, printable(p->path())), {});
    });
  });
}

void fetcher::complete(const std::shared_ptr<picture>& p, const attributes& after,
                       const std::optional<attributes>& seen) {
  if (const auto wrong = p->complete(after, seen)) return failed(p, *wrong, after);
  const auto at_rest = rest_.look(p->row().ino, p->size(), after.mtime.value_or(0));
  if (at_rest > rest_.monotonic()) return look_again_at(at_rest, p, after);
  landing_.add(p);
  off_the_way();
}

// Meanwhile whoever reads it is served.
void fetcher::look_again_at(clock::time_point when, const std::shared_ptr<picture>& p, const attributes& before) {
  looks_.at(when, [this, p, before] {
    source_.stat(p->path(), [this, p, before](const std::optional<failure>& why, const attributes& now) {
      writers_.post(p->row().ino, 0, [this, p, before, why, now] {
        if (why) return failed(p, *why, {});
        if (now == before || !is_another(p->source_side(), now, where_.times())) return landing_.add(p), off_the_way();
        failed(p, {cause::unsettled, printable(p->path()) + ": still being written on the source"}, now);
      });
    });
  });
}

void fetcher::failed(const std::shared_ptr<picture>& p, const failure& why, const attributes& after) noexcept {
  where_.remove_partial(p->row().ino);
  off_the_way();
  // Of one that is being written, its readers go on with what they got: it was the picture at that moment.
  const bool seen = why.why == cause::unsettled ? p->handed_out() : p->reject();
  const bool another = after.mode != 0 && is_another(*p->row().source, after, where_.times());
  const bool is_changed = why.why == cause::changed && another;
  if (contain("fetch", [&] { is_changed ? retry_changed(p, after) : record(p, why, seen); })) end(p, why);
}

void fetcher::landed(const std::shared_ptr<picture>& p, const std::optional<failure>& why) {
  if (!why) return over(p, why);
  // Removed while somebody reads it: he goes on, as with any file.
  record(p, *why, why->why != cause::cancelled && p->reject());
}

// Its end is told on a thread of its own: those who are told take locks that others hold while they wait for the
// index's writer, or for this thread.
void fetcher::end(const std::shared_ptr<picture>& p, const std::optional<failure>& why) {
  callbacks_.post([this, p, why] { over(p, why); });
}

// A failure of this picture stays with it in the index; one of the connection or the disk says nothing of it.
// `seen`: bytes of it were handed out, which the kernel is to keep no longer.
void fetcher::record(const std::shared_ptr<picture>& p, const failure& why, bool seen) {
  const bool of_picture = !why.of_connection() && why.why != cause::unsettled && !why.of_disk();
  if (of_picture) spdlog::warn("fetch failed: {}", why.text);
  if (!of_picture && !seen) return end(p, why);
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  index_.post(
      [ino = p->row().ino, text = why.text, now, of_picture, seen](index::transaction& t) {
        if (of_picture) index::apply_fetch_failure(t, ino, text, now);
        if (seen) t.note({index::change::what::content, ino, {}});
      },
      [this, p, why](std::exception_ptr) { end(p, why); });
}

// The source shows another picture than the index: the index learns it, and who waits is answered from the new one.
void fetcher::retry_changed(const std::shared_ptr<picture>& p, const attributes& after) {
  const file_facts now = told_of(*p->row().source, after, where_.times());
  const auto time = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  index_.post(
      [ino = p->row().ino, now, time](index::transaction& t) { index::apply_change_while_fetched(t, ino, now, time); },
      [this, p](std::exception_ptr) {
        end(p, failure{cause::changed, p->path() + ": changed on the source"});
      });
}

// The picture landed, or did not: it leaves the table, then all who wait are told.
void fetcher::over(const std::shared_ptr<picture>& p, const std::optional<failure>& why) {
  std::vector<done> calls;
  {
    const std::lock_guard lock{mutex_};
    if (const auto at = flights_.find(p->row().ino); at != flights_.end()) {
      calls = std::move(at->second.calls);
      flights_.erase(at);
    }
    if (!why) suspects_.erase(p->row().ino);
    ++telling_;
  }
  p->settle();
  if (!why) speed_.add(p->size());
  why ? p->answer_all(*why) : p->answer_all(now_local{});
  for (const auto& call : calls) contain("end of a fetch", [&] { call(why); });
  const std::lock_guard lock{mutex_};
  told();
}

// It may have landed already, and everybody been told: `drain` waits for the end of this as well.
void fetcher::off_the_way() noexcept {
  std::size_t left = 0;
  {
    const std::lock_guard lock{mutex_};
    left = --on_the_way_;
    ++telling_;
  }
  if (left == slack_ && slack_call_) contain("fetch", slack_call_);
  if (left == 0) landing_.flush();
  const std::lock_guard lock{mutex_};
  told();
}

// mutex_ is held.
void fetcher::told() {
  if (--telling_ == 0 && flights_.empty() && on_the_way_ == 0) empty_.notify_all();
}

std::size_t fetcher::on_the_way() {
  const std::lock_guard lock{mutex_};
  return on_the_way_;
}

void fetcher::when_slack(std::size_t low, std::function<void()> call) {
  slack_ = low;
  slack_call_ = std::move(call);
}

std::vector<fetcher::progress> fetcher::active(std::size_t at_most) {
  std::vector<progress> list;
  const std::lock_guard lock{mutex_};
  for (const auto& [ino, f] : flights_) {
    if (list.size() == at_most) break;
    if (!f.file->begun()) continue;
    list.push_back({f.file->path(), f.file->size(), f.file->demanded()});
  }
  return list;
}

bool fetcher::is_fetching(inode ino) {
  const std::lock_guard lock{mutex_};
  const auto at = flights_.find(ino);
  return at != flights_.end() && at->second.file->begun();
}

}  // namespace ferryfs::remote
