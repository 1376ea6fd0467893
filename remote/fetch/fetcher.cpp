#include "remote/fetch/fetcher.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <cstdlib>

#include "index/path.hpp"
#include "remote/settling.hpp"

namespace ferryfs::remote {
namespace {

constexpr std::size_t disk_threads = 2;
constexpr unsigned most_suspicions = 3;

}  // namespace

fetcher::fetcher(const destination& where, archive& source, index::writer& index, index::readers& readers,
                 limiter& limit)
    : where_(where),
      source_(source),
      index_(index),
      readers_(readers),
      limit_(limit),
      writers_(disk_threads),
      landing_(where, index, readers,
               [this](const auto& p, const auto& why) { why ? record(p, *why) : over(p, why); }) {}

void fetcher::drain() {
  std::unique_lock lock{mutex_};
  empty_.wait(lock, [&] { return flights_.empty() && on_the_way_ == 0 && telling_ == 0; });
}

std::shared_ptr<picture> fetcher::make(const entry& e, std::uint64_t begun_at, std::string path, bool demanded) {
  auto p = std::make_shared<picture>(
      picture::services{where_, writers_, limit_,
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
    p->wait_for(offset, length, id, std::move(w));
    if (raise) source_.raise(p);
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
  p = make(*e, begun_at, *path, true);
  lock.unlock();
  p->wait_for(offset, length, id, std::move(w));
  source_.read(p, lane::demand);
  return id;
}

void fetcher::forget(inode ino, std::uint64_t id) {
  const std::lock_guard lock{mutex_};
  if (const auto at = flights_.find(ino); at != flights_.end()) at->second.file->forget(id);
}

void fetcher::fetch(const entry& gap, std::string path, lane where, done call) {
  std::unique_lock lock{mutex_};
  if (const auto at = flights_.find(gap.ino); at != flights_.end()) {
    at->second.calls.push_back(std::move(call));
    const auto p = at->second.file;
    lock.unlock();
    if (where == lane::demand && !p->demanded()) p->demand(), source_.raise(p);
    return;
  }
  // The second look, as above.
  const auto begun_at = where_.changes().load();
  const auto now = readers_.borrow()->by_inode(gap.ino);
  const bool failed_since = now && now->state == state::failed && gap.state == state::missing;
  const bool unwanted = failed_since || (now && now->state == state::skipped);
  if (!now || !now->is_gap() || (where == lane::background && unwanted)) {
    lock.unlock();
    if (now && now->is_local()) return call(std::nullopt);
    return call(failure{cause::not_found, printable(path) + ": is to be fetched no more"});
  }
  const auto p = make(*now, begun_at, std::move(path), where == lane::demand);
  flights_[gap.ino].calls.push_back(std::move(call));
  lock.unlock();
  source_.read(p, where);
  // A reader that came before it was queued found nothing to raise.
  if (where == lane::background && p->demanded()) source_.raise(p);
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
  if (why && why->suspect && why->of_connection() && dies_of(p->row().ino))
    return failed(p,
                  {cause::source_error, fmt::format("{}: the connection ended {} times at this picture: {}",
                                                    printable(p->path()), most_suspicions, why->text)},
                  after);
  if (why && why->of_connection() && why->why != cause::cancelled && p->awaited() && source_.state().reachable &&
      p->try_again())
    return source_.read(p, lane::demand);
  if (why) return failed(p, *why, after);
  if (const auto wrong = p->complete(after)) return failed(p, *wrong, after);
  if (!is_settled(after.mtime))
    return failed(p, {cause::unsettled, fmt::format("{}: still being written on the source", printable(p->path()))},
                  after);
  landing_.add(p);
  off_the_way();
}

void fetcher::failed(const std::shared_ptr<picture>& p, const failure& why, const attributes& after) {
  where_.remove_partial(p->row().ino);
  off_the_way();
  const side& known = *p->row().source;
  const bool another = after.size != known.size || after.mtime != known.mtime / 1'000'000'000;
  if (why.why == cause::changed && after.mode != 0 && another) return retry_changed(p, after);
  record(p, why);
}

// A failure of this picture stays with it in the index; one of the connection or the disk says nothing of it.
void fetcher::record(const std::shared_ptr<picture>& p, const failure& why) {
  if (!why.of_connection() && why.why != cause::unsettled && why.why != cause::local_error) {
    spdlog::warn("fetch failed: {}", why.text);
    const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    return index_.post(
        [ino = p->row().ino, text = why.text, now](index::transaction& t) { index::record_failure(t, ino, text, now); },
        [this, p, why](std::exception_ptr) { over(p, why); });
  }
  over(p, why);
}

// The source shows another picture than the index: the index learns it, and who waits is answered from the new one.
void fetcher::retry_changed(const std::shared_ptr<picture>& p, const attributes& after) {
  const side now{after.mode & ~06000U, after.size, after.mtime * 1'000'000'000};
  index_.post([ino = p->row().ino, now](index::transaction& t) { index::record_source(t, ino, now); },
              [this, p](std::exception_ptr) {
                over(p, failure{cause::changed, p->path() + ": changed on the source"});
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
  if (!why) speed_.add(p->size());
  why ? p->answer_all(*why) : p->answer_all(now_local{});
  for (const auto& call : calls) call(why);
  const std::lock_guard lock{mutex_};
  told();
}

// It may have landed already, and everybody been told: `drain` waits for the end of this as well.
void fetcher::off_the_way() {
  std::size_t left = 0;
  {
    const std::lock_guard lock{mutex_};
    left = --on_the_way_;
    ++telling_;
  }
  if (left == slack_ && slack_call_) slack_call_();
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
