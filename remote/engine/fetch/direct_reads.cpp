#include "remote/engine/fetch/direct_reads.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "index/base/clock.hpp"
#include "index/base/path.hpp"
#include "index/update/fetch_result.hpp"
#include "remote/engine/fetch/ranges.hpp"
#include "remote/engine/source_facts.hpp"

namespace ferryfs::remote {
namespace {

constexpr std::uint64_t most_in_memory = 64U << 20;  // bytes, of all mounts' readers together
constexpr unsigned most_attempts = 3;

}  // namespace

// One range in flight. The archive calls a reading on one thread at a time, and so does what follows its end.
class direct_reads::range_read final : public reading, public std::enable_shared_from_this<range_read> {
 public:
  range_read(direct_reads& owner, const entry& e, std::string path, ranges::gap wanted, std::uint64_t number)
      : row(e), id(number), part(wanted), owner_(owner), path_(std::move(path)), to_(wanted.to) {}

  const std::string& path() const override { return path_; }
  bool urgent() const override { return true; }
  next next_range(std::uint32_t at_most) override {
    const auto gap = requested_.first_gap(part.from, to_);
    if (!gap) return {next_step::done, {}};
    const auto length = static_cast<std::uint32_t>(std::min<std::uint64_t>(gap->to - gap->from, at_most));
    requested_.add(gap->from, gap->from + length);
    return {next_step::more, {gap->from, length}};
  }
  // Of a picture whose size nobody knows.
  bool ends(std::uint64_t offset) override {
    if (row.source->size != 0) return false;
    to_ = std::max(part.from, std::min(to_, offset));
    return true;
  }
  void arrived(std::uint64_t offset, std::span<const std::byte> got) override {
    last_activity = steady_now();
    bytes_.resize(part.to - part.from);
    std::memcpy(bytes_.data() + (offset - part.from), got.data(), got.size());
    arrived_.add(offset, offset + got.size());
  }
  void finished(const std::optional<failure>& why, const attributes& after) override {
    owner_.on_transfer_end(shared_from_this(), why, after);
  }

  bool is_whole() const { return arrived_.covers(part.from, to_); }
  // Prepares another attempt. False after three.
  bool try_again() {
    requested_ = arrived_;
    return ++attempts_ < most_attempts;
  }
  std::vector<std::byte> take_bytes() {
    bytes_.resize(to_ - part.from);
    return std::move(bytes_);
  }

  const entry row;
  const std::uint64_t id;
  const ranges::gap part;
  std::atomic<std::chrono::steady_clock::time_point> last_activity = std::chrono::steady_clock::time_point{};

 private:
  direct_reads& owner_;
  const std::string path_;
  std::uint64_t to_;  // where the picture may end before
  ranges requested_, arrived_;
  std::vector<std::byte> bytes_;
  unsigned attempts_ = 0;
};

void direct_reads::read(const entry& e, std::string path, std::uint64_t offset, std::uint64_t length, std::uint64_t id,
                        read_callback call) {
  const std::uint64_t size = e.source->size, end = size == 0 ? largest_size : size, from = std::min(offset, end);
  if (from == end || length == 0) return call(direct_read{{}, size});
  const ranges::gap part{from, from + std::min(length, end - from)};
  {
    const lock held{mutex_};
    auto r = std::make_shared<range_read>(*this, e, std::move(path), part, id);
    waiting_.push_back(r);
    all_[id] = {std::move(r), std::move(call)};
  }
  start_some();
}

void direct_reads::start_some() {
  while (true) {
    std::shared_ptr<range_read> r;
    {
      const lock held{mutex_};
      if (waiting_.empty()) return;
      const auto length = waiting_.front()->part.to - waiting_.front()->part.from;
      if (bytes_in_memory_ > 0 && bytes_in_memory_ + length > most_in_memory) return;
      r = std::move(waiting_.front());
      waiting_.pop_front();
      bytes_in_memory_ += length;
    }
    source_.read(r, priority::demand);
  }
}

void direct_reads::cancel(std::uint64_t id) {
  const lock held{mutex_};
  const auto at = all_.find(id);
  if (at == all_.end()) return;
  at->second.call = nullptr;
  if (std::erase(waiting_, at->second.transfer) > 0) all_.erase(at);
  if (all_.empty()) empty_.notify_all();
}

std::chrono::steady_clock::time_point direct_reads::last_activity(inode ino) {
  std::chrono::steady_clock::time_point last{};
  const lock held{mutex_};
  for (const auto& [id, r] : all_)
    if (r.transfer->row.ino == ino) last = std::max(last, r.transfer->last_activity.load());
  return last;
}

void direct_reads::drain() {
  lock held{mutex_};
  empty_.wait(held, [&]() REQUIRES(mutex_) { return all_.empty(); });
}

void direct_reads::on_transfer_end(const std::shared_ptr<range_read>& r, const std::optional<failure>& why,
                                   const attributes& after) {
  if (why && why->of_connection() && why->why != cause::cancelled && source_.state().reachable && r->try_again())
    return source_.read(r, priority::demand);
  const file_facts& known = *r->row.source;
  const file_facts now = updated_facts(known, after, where_.times());
  const bool another = after.mode != 0 && !same_size_and_time(now, known);
  if (!another && (why || !r->is_whole()))
    return end(r, why ? *why : failure{cause::changed, printable(r->path()) + ": became shorter on the source"});
  if (!another) {
    ++count_;
    bytes_ += r->part.to - r->part.from;
    return end(r, direct_read{r->take_bytes(), known.size});
  }
  index_.post([ino = r->row.ino, now,
               at = wall_seconds()](index::transaction& t) { index::apply_change_while_fetched(t, ino, now, at); },
              [this, r](std::exception_ptr) {
                end(r, failure{cause::changed, printable(r->path()) + ": changed on the source"});
              });
}

// Its memory is free when the callback has returned.
void direct_reads::end(const std::shared_ptr<range_read>& r, const read_result& result) {
  read_callback call;
  {
    const lock held{mutex_};
    if (const auto at = all_.find(r->id); at != all_.end()) call = std::move(at->second.call);
  }
  if (call) call(result);
  {
    const lock held{mutex_};
    bytes_in_memory_ -= r->part.to - r->part.from;
  }
  start_some();
  const lock held{mutex_};
  all_.erase(r->id);
  if (all_.empty()) empty_.notify_all();
}

}  // namespace ferryfs::remote
