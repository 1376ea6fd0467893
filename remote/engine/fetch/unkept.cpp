#include "remote/engine/fetch/unkept.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "index/base/path.hpp"
#include "index/update/fetch_result.hpp"
#include "remote/engine/fetch/ranges.hpp"
#include "remote/engine/told.hpp"

namespace ferryfs::remote {
namespace {

constexpr std::uint64_t most_held = 64U << 20;  // bytes, of all mounts' readers together
constexpr unsigned most_attempts = 3;

}  // namespace

// One range on its way.
class unkept_reads::one final : public reading, public std::enable_shared_from_this<one> {
 public:
  one(unkept_reads& owner, const entry& e, std::string path, ranges::gap wanted, std::uint64_t number, waiter w)
      : row(e), id(number), part(wanted), call(std::move(w)), owner_(owner), path_(std::move(path)), to_(wanted.to) {}

  const std::string& path() const override { return path_; }
  bool urgent() const override { return true; }
  next next_range(std::uint32_t at_most) override {
    const std::lock_guard lock{mutex_};
    const auto gap = requested_.first_gap(part.from, to_);
    if (!gap) return {next_step::done, {}};
    const auto length = static_cast<std::uint32_t>(std::min<std::uint64_t>(gap->to - gap->from, at_most));
    requested_.add(gap->from, gap->from + length);
    return {next_step::more, {gap->from, length}};
  }
  // Of a picture whose size nobody knows.
  bool ends(std::uint64_t offset) override {
    const std::lock_guard lock{mutex_};
    if (row.source->size != 0) return false;
    to_ = std::max(part.from, std::min(to_, offset));
    return true;
  }
  void arrived(std::uint64_t offset, std::span<const std::byte> got) override {
    heard = std::chrono::steady_clock::now();
    const std::lock_guard lock{mutex_};
    bytes_.resize(part.to - part.from);
    std::memcpy(bytes_.data() + (offset - part.from), got.data(), got.size());
    arrived_.add(offset, offset + got.size());
  }
  void finished(const std::optional<failure>& why, const attributes& after) override {
    owner_.ended(shared_from_this(), why, after);
  }

  bool is_whole() {
    const std::lock_guard lock{mutex_};
    return arrived_.covers(part.from, to_);
  }
  // Prepares another attempt. False after three.
  bool try_again() {
    const std::lock_guard lock{mutex_};
    requested_ = arrived_;
    return ++attempts_ < most_attempts;
  }
  std::vector<std::byte> take_bytes() {
    const std::lock_guard lock{mutex_};
    bytes_.resize(to_ - part.from);
    return std::move(bytes_);
  }

  const entry row;
  const std::uint64_t id;
  const ranges::gap part;
  waiter call;  // under the owner's lock
  std::atomic<std::chrono::steady_clock::time_point> heard = std::chrono::steady_clock::time_point{};

 private:
  unkept_reads& owner_;
  const std::string path_;
  std::mutex mutex_;
  std::uint64_t to_;  // where the picture may end before
  ranges requested_, arrived_;
  std::vector<std::byte> bytes_;
  unsigned attempts_ = 0;
};

void unkept_reads::read(const entry& e, std::string path, std::uint64_t offset, std::uint64_t length, std::uint64_t id,
                        waiter w) {
  const std::uint64_t size = e.source->size, end = size == 0 ? largest_size : size, from = std::min(offset, end);
  if (from == end || length == 0) return w(bytes_unkept{{}, size});
  const ranges::gap part{from, from + std::min(length, end - from)};
  {
    const std::lock_guard lock{mutex_};
    const auto r = std::make_shared<one>(*this, e, std::move(path), part, id, std::move(w));
    all_[id] = r;
    waiting_.push_back(r);
  }
  start_some();
}

void unkept_reads::start_some() {
  while (true) {
    std::shared_ptr<one> r;
    {
      const std::lock_guard lock{mutex_};
      if (waiting_.empty()) return;
      const auto length = waiting_.front()->part.to - waiting_.front()->part.from;
      if (held_ > 0 && held_ + length > most_held) return;
      r = std::move(waiting_.front());
      waiting_.pop_front();
      held_ += length;
    }
    source_.read(r, priority::demand);
  }
}

void unkept_reads::forget(std::uint64_t id) {
  const std::lock_guard lock{mutex_};
  const auto at = all_.find(id);
  if (at == all_.end()) return;
  at->second->call = nullptr;
  if (std::erase(waiting_, at->second) > 0) all_.erase(at);
  if (all_.empty()) empty_.notify_all();
}

std::chrono::steady_clock::time_point unkept_reads::heard(inode ino) {
  std::chrono::steady_clock::time_point last{};
  const std::lock_guard lock{mutex_};
  for (const auto& [id, r] : all_)
    if (r->row.ino == ino) last = std::max(last, r->heard.load());
  return last;
}

void unkept_reads::drain() {
  std::unique_lock lock{mutex_};
  empty_.wait(lock, [&] { return all_.empty(); });
}

void unkept_reads::ended(const std::shared_ptr<one>& r, const std::optional<failure>& why, const attributes& after) {
  if (why && why->of_connection() && why->why != cause::cancelled && source_.state().reachable && r->try_again())
    return source_.read(r, priority::demand);
  const file_facts& known = *r->row.source;
  const file_facts now = told_of(known, after, where_.times());
  const bool another = after.mode != 0 && (now.size != known.size || now.mtime != known.mtime);
  if (!another && (why || !r->is_whole()))
    return over(r, why ? *why : failure{cause::changed, printable(r->path()) + ": became shorter on the source"});
  if (!another) {
    ++reads_;
    bytes_ += r->part.to - r->part.from;
    return over(r, bytes_unkept{r->take_bytes(), known.size});
  }
  const auto time = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  index_.post(
      [ino = r->row.ino, now, time](index::transaction& t) { index::apply_change_while_fetched(t, ino, now, time); },
      [this, r](std::exception_ptr) {
        over(r, failure{cause::changed, printable(r->path()) + ": changed on the source"});
      });
}

// Its memory is free when the waiter has returned.
void unkept_reads::over(const std::shared_ptr<one>& r, const outcome& o) {
  waiter call;
  {
    const std::lock_guard lock{mutex_};
    call = std::move(r->call);
  }
  if (call) call(o);
  {
    const std::lock_guard lock{mutex_};
    held_ -= r->part.to - r->part.from;
  }
  start_some();
  const std::lock_guard lock{mutex_};
  all_.erase(r->id);
  if (all_.empty()) empty_.notify_all();
}

}  // namespace ferryfs::remote
