#include "remote/engine/replicate/replicator.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <vector>

#include "index/base/exception_barrier.hpp"
#include "index/base/path.hpp"
#include "index/base/time.hpp"
#include "index/update/fetch_result.hpp"
#include "index/update/source_links.hpp"
#include "remote/engine/fetch/landing.hpp"

namespace ferryfs::remote {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_unlanded = 8000;  // written, and waiting to be durable
constexpr int refill = 512;                  // gaps a query
constexpr std::int32_t newest = 99999999;    // before any day
constexpr auto retry_tick = 2s;              // how often failed or unsettled gaps are looked at

std::int64_t now_seconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

replicator::replicator(services s, std::uint64_t min_free)
    : services_(s), min_free_(min_free), other_times_(s.where, s.source, s.index) {
  services_.fetch.when_slack(services_.source.max_in_flight() * 3 / 4, [this] {
    {
      const std::lock_guard lock{mutex_};
      slack_ = true;
    }
    wake_.notify_all();
  });
  thread_ = std::jthread{[this](const std::stop_token& stop) { run(stop); }};
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
    const std::lock_guard lock{mutex_};
    again_ = true;
    blocked_.clear();
  }
  wake_.notify_all();
}

void replicator::when_idle(std::function<void()> call) {
  {
    const std::lock_guard lock{mutex_};
    idle_calls_.push_back(std::move(call));
    again_ = true;
  }
  wake_.notify_all();
}

std::string replicator::blocked_by() {
  const std::lock_guard lock{mutex_};
  return blocked_;
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

// Those who wait until nothing can be fetched are told when it was tried twice.
void replicator::stand_still(const std::string& why, const std::stop_token& stop) {
  log_once("replication stands still: " + why);
  std::vector<std::function<void()>> calls;
  std::unique_lock lock{mutex_};
  const auto now = std::chrono::steady_clock::now();
  if (!blocked_.empty() && now - blocked_since_ < 3 * retry_tick) calls = std::exchange(idle_calls_, {});
  blocked_ = why;
  blocked_since_ = now;
  lock.unlock();
  call_all(calls);
  lock.lock();
  wake_.wait_for(lock, stop, retry_tick, [] { return false; });
}

void replicator::call_all(const std::vector<std::function<void()>>& calls) {
  for (const auto& call : calls) contain("end of replication", call);
}

void replicator::work(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const bool can = !paused_ && services_.source.state().reachable && has_space();
    const bool more = can && fill();
    std::unique_lock lock{mutex_};
    if (std::exchange(again_, false)) {
      rewind();
      continue;  // `can` may be of before: resume() is one of those that say so
    }
    if (more) {
      // Until a good part of what is on its way has arrived, or landed.
      wake_.wait(lock, stop, [&] { return slack_ || again_; });
      slack_ = false;
      continue;
    }
    if (!on_the_way_.empty()) {
      wake_.wait(lock, stop, [&] { return on_the_way_.empty() || again_; });
      rewind();  // what went wrong on the way is found again
      continue;
    }
    if (can) wait_for_room();
    lock.unlock();
    idle();
    lock.lock();
    wake_.wait_for(lock, stop, retry_tick, [&] { return again_; });
    rewind();
  }
}

void replicator::rewind() { day_ = newest, ino_ = 0, unsettled_ = false, waits_ = {}; }

// The queue was looked through, and nothing of it is on its way; mutex_ is held.
void replicator::wait_for_room() {
  waited_ = waits_;
  if (waited_.files > 0 && blocked_.empty())
    block(
        fmt::format("{}: no space for the last {} pictures, {} bytes in all: {} bytes are free and {} are to stay free "
                    "(--min-free); make room",
                    printable(services_.where.path()), waited_.files, waited_.bytes, free_, min_free_));
}

void replicator::idle() {
  if (paused_) return;
  services_.index.run([](index::transaction&) {});  // what was made here is in the index
  const auto totals = services_.readers.borrow()->totals();
  const bool gaps = totals.of(state::missing).files > 0;
  if (gaps) unfinished_ = true;  // a reader may bring the last of them
  if (!gaps && unfinished_) {
    unfinished_ = false;
    if (contain("times and modes of directories", [&] { finish_directories(); })) unfinished_ = true;
  }
  std::vector<std::function<void()>> calls;
  {
    const bool waits = gaps && (unsettled_ || !services_.source.state().reachable);
    const std::lock_guard lock{mutex_};
    // A call that came since the last look at the queue waits for the next one.
    if (!again_ && (!waits || !blocked_.empty())) calls = std::exchange(idle_calls_, {});
  }
  call_all(calls);
}

bool replicator::has_space() {
  constexpr auto blocked_time = 30s;  // then it is tried again: somebody may have made room
  const std::uint64_t free = services_.where.free_bytes();
  free_ = free;
  full_ = false;
  const auto now = std::chrono::steady_clock::now();
  const std::lock_guard lock{mutex_};
  if (!blocked_.empty() && now - blocked_since_ > blocked_time) blocked_.clear();
  if (blocked_.empty() && free < min_free_)
    block(fmt::format("{}: no space: {} bytes are free and {} are to stay free (--min-free); make room",
                      printable(services_.where.path()), free_, min_free_));
  return blocked_.empty();
}

// mutex_ is held.
void replicator::block(std::string why) {
  blocked_ = std::move(why);
  blocked_since_ = std::chrono::steady_clock::now();
  spdlog::error("replication stands still: {}", blocked_);
}

replicator::waiting_for_room replicator::waiting() {
  const std::lock_guard lock{mutex_};
  return waited_;
}

// Starts fetches up to the archive's depth. False: the queue has no more for now.
bool replicator::fill() {
  while (!paused_) {
    {
      const std::uint64_t free = services_.where.free_bytes();
      const std::lock_guard lock{mutex_};
      free_ = free;
      slack_ = false;
      if (on_the_way_.size() >= most_unlanded + services_.source.max_in_flight()) return true;
      if (!blocked_.empty() || full_) return false;
    }
    if (services_.fetch.on_the_way() >= services_.source.max_in_flight()) return true;
    if (!services_.source.state().reachable) return false;
    std::vector<entry> gaps;
    {
      const auto reader = services_.readers.borrow();
      reader->gaps(day_, ino_, refill, [&](entry&& e) { gaps.push_back(std::move(e)); });
      if (gaps.empty()) reader->failures(now_seconds(), refill, [&](entry&& e) { gaps.push_back(std::move(e)); });
    }
    bool moved = false;
    for (const entry& gap : gaps) {
      if (gap.state == state::missing) day_ = gap.day, ino_ = gap.ino, moved = true;
      if (try_start(gap)) moved = true;
    }
    if (!moved) return false;
  }
  return false;
}

// What one gap throws is no reason to stop at it, unless the disk throws it.
bool replicator::try_start(const entry& gap) {
  bool started = false;
  const auto thrown = contain("replication", [&] { started = start(gap); });
  if (thrown && failure_of(thrown, "").why == cause::local_error) std::rethrow_exception(thrown);
  return started;
}

bool replicator::start(const entry& gap) {
  std::string path;
  {
    const auto reader = services_.readers.borrow();
    path = path_of(*reader, gap);
  }
  if (path.empty()) return false;
  if (!S_ISREG(gap.source->mode)) {
    make_here(gap);
    return false;
  }
  if (!services_.fetch.rest().is_settled(gap.ino, gap.source->size, to_seconds(gap.source->mtime))) {
    unsettled_ = true;
    return false;
  }
  if (gap.is_undecided()) return decide_time(gap, path);
  {
    const std::lock_guard lock{mutex_};
    if (on_the_way_.contains(gap.ino)) return false;
    // One that is larger than what is free waits, and holds up no other; what is on its way needs its space as well.
    if (free_ < min_free_ + gap.source->size) {
      const std::uint64_t size = gap.source->size, disk = services_.where.capacity();
      if (size > disk)
        fail(gap.ino,
             fmt::format("{}: has {} bytes, and the destination's whole disk {}", printable(path), size, disk));
      else
        ++waits_.files, waits_.bytes += size;
      return false;
    }
    if (free_ < min_free_ + services_.fetch.owed() + gap.source->size) {
      full_ = true;
      return false;
    }
    on_the_way_.insert(gap.ino);
  }
  try {
    services_.fetch.fetch(gap, std::move(path), priority::background,
                          [this, ino = gap.ino](const auto& why) { landed(ino, why); });
  } catch (...) {  // it was not begun
    landed(gap.ino, failure_of(std::current_exception(), printable(gap.name)));
    throw;
  }
  return true;
}

bool replicator::decide_time(const entry& gap, const std::string& path) {
  {
    const std::lock_guard lock{mutex_};
    if (!on_the_way_.insert(gap.ino).second) return false;
  }
  const auto decided = [this, ino = gap.ino](const std::optional<failure>& why) {
    landed(ino, why);
    if (!why) look_again();
  };
  if (const auto thrown = contain("replication", [&] { other_times_.decide(gap, path, decided); }))
    landed(gap.ino, failure_of(thrown, printable(path)));
  return true;
}

// 0 or errno, as the next.
int replicator::make_directory_here(const std::string& path) {
  std::vector<std::string> made;
  return make_directories(services_.where, *services_.readers.borrow(), path, made);
}

int replicator::make_link_here(const std::string& path, const entry& gap) {
  const auto slash = path.rfind('/');
  if (slash != std::string::npos)
    if (const int problem = make_directory_here(path.substr(0, slash))) return problem;
  const auto [directory, name] = open_parent(services_.where.root(), path);
  if (!directory) return errno;
  return services_.where.make_link(directory.get(), name, gap.target, to_seconds(gap.source->mtime));
}

// A symbolic link that the disk is not to get. Told to the index, which counts it from then on.
bool replicator::is_refused(const entry& gap) {
  if (!gap.is_link()) return false;
  const auto reader = services_.readers.borrow();
  if (index::link_judge{*reader, services_.links}.objection(gap).empty()) return false;
  services_.index.post(
      [ino = gap.ino, rules = services_.links](index::transaction& t) { index::apply_link_rules(t, ino, rules); });
  return true;
}

// Directories and symbolic links need no bytes from the source.
void replicator::make_here(const entry& found) {
  const std::lock_guard lock{services_.where.names()};
  std::string path;
  entry gap;
  {
    const auto reader = services_.readers.borrow();
    auto now = reader->by_inode(found.ino);
    if (!now || !now->is_gap() || now->state == state::skipped) return;  // deleted, or made here meanwhile
    gap = *std::move(now);
    path = reader->path(gap.ino).value_or("");
  }
  if (path.empty() || is_refused(gap)) return;
  const int problem = S_ISDIR(gap.source->mode) ? make_directory_here(path) : make_link_here(path, gap);
  unfinished_ = true;
  if (problem == 0)
    return services_.index.post(
        [ino = gap.ino, s = *gap.source](index::transaction& t) { index::apply_made_entry(t, ino, s); });
  if (problem == EEXIST) {
    if (const auto there = services_.where.look(path))
      return services_.index.post(
          [ino = gap.ino, s = there->attributes](index::transaction& t) { index::apply_found_entry(t, ino, s); });
  }
  fail(gap.ino,
       look_alike_text(services_.where, path).value_or(fmt::format("{}: {}", printable(path), std::strerror(problem))));
}

void replicator::fail(inode ino, std::string why) {
  services_.index.post([ino, why = std::move(why), now = now_seconds()](index::transaction& t) {
    index::apply_fetch_failure(t, ino, why, now);
  });
}

// On the source.
std::string replicator::path_of(index::reader& r, const entry& e) {
  if (e.origin) return r.source_path(e.ino).value_or("");
  if (parent_ != e.parent) {
    const auto path = r.source_path(e.parent);
    if (!path) return "";  // its directory has just left the index
    parent_path_ = *path;
    parent_ = e.parent;
  }
  return join(parent_path_, e.name);
}

void replicator::landed(inode ino, const std::optional<failure>& why) {
  bool news = why.has_value();
  {
    const std::lock_guard lock{mutex_};
    on_the_way_.erase(ino);
    news = news || on_the_way_.empty();
    if (on_the_way_.size() == most_unlanded) slack_ = news = true;
    if (!why) unfinished_ = true;
    if (why && why->of_disk() && blocked_.empty()) block(why->text);
  }
  if (news) wake_.notify_all();
}

// Everything is here: directories get the mode and mtime that the view shows, which filling them changed.
void replicator::finish_directories() {
  const auto reader = services_.readers.borrow();
  std::vector<std::pair<inode, std::string>> stack{{root_inode, ""}};
  while (!stack.empty()) {
    const auto [ino, path] = stack.back();
    stack.pop_back();
    reader->subdirectories(ino, "", [&, at = path](entry&& e) {
      if (!e.source || !e.local || !S_ISDIR(e.local->mode)) return true;
      const std::string here = join(at, e.name);
      const unique_fd fd = services_.where.open(here, O_RDONLY | O_DIRECTORY);
      struct stat st {};
      const file_facts shown = e.shown();
      const timespec when = to_timespec(services_.where.times().clamped(shown.mtime));
      const timespec times[] = {when, when};
      if (fd && ::fstat(fd.get(), &st) == 0 &&
          (st.st_mtim.tv_sec != when.tv_sec || (st.st_mode ^ shown.mode) & 07777)) {
        ::fchmod(fd.get(), shown.mode & 07777);
        ::futimens(fd.get(), times);
      }
      stack.emplace_back(e.ino, here);
      return true;
    });
  }
}

}  // namespace ferryfs::remote
