#include "remote/engine/decide/fetch_below.hpp"

#include <fmt/format.h>

#include "index/base/exception_barrier.hpp"
#include "index/base/mutex.hpp"
#include "index/base/path.hpp"
#include "remote/engine/decide/skip.hpp"

namespace ferryfs::remote {
namespace {

constexpr std::size_t most_at_once = 512;

// Counts fetches in flight and what became of them.
class tally {
 public:
  // Each fetch that has begun reports its end to this.
  ~tally() { wait(); }
  void begin() {
    lock waiting{mutex_};
    changed_.wait(waiting, [&]() REQUIRES(mutex_) { return running_ < most_at_once; });
    ++running_;
  }
  void end(const entry& e, const std::optional<failure>& why) {
    const lock held{mutex_};
    --running_;
    why ? count_failure(why->text) : void((++sum_.files, sum_.bytes += e.source->size));
    changed_.notify_all();
  }
  void fail(const std::string& text) {
    const lock held{mutex_};
    count_failure(text);
  }
  fetch_below_result wait() {
    lock waiting{mutex_};
    changed_.wait(waiting, [&]() REQUIRES(mutex_) { return running_ == 0; });
    return sum_;
  }

 private:
  void count_failure(const std::string& text) REQUIRES(mutex_) {
    if (sum_.failed++ == 0) sum_.first_failure = text;
  }

  mutex mutex_{lock_level::leaf};
  condition changed_;
  std::size_t running_ GUARDED_BY(mutex_) = 0;
  fetch_below_result sum_ GUARDED_BY(mutex_);
};

}  // namespace

fetch_below_result fetch_below(index::writer& index, index::readers& readers, fetcher& fetch, const std::string& path,
                               const std::stop_token& stop) {
  unskip_below(index, readers, path, stop);
  tally sum;
  std::vector<std::pair<entry, std::string>> stack;
  const auto reader = readers.borrow();
  if (auto e = reader->at(path))
    stack.emplace_back(std::move(*e), path);
  else
    sum.fail(fmt::format("{}: no such picture", printable(path)));
  while (!stack.empty() && !stop.stop_requested()) {
    const auto next = std::move(stack.back());
    const entry& e = next.first;
    const std::string& here = next.second;
    stack.pop_back();
    if (e.is_directory()) {
      reader->children(e.ino, "", [&](entry&& child) {
        if (child.is_directory() || (child.is_gap() && child.source && S_ISREG(child.source->mode)))
          stack.emplace_back(std::move(child), join(here, child.name));
        return true;
      });
    } else if (e.state == state::refused) {
      sum.fail(fmt::format("{}: {}; ferryfs resolve --keep source copies it", printable(here), e.error));
    } else if (e.is_gap() && S_ISREG(e.source->mode)) {
      const auto from = reader->source_path(e.ino).value_or(here);
      sum.begin();
      const auto on_done = [&sum, row = e](const std::optional<failure>& why) { sum.end(row, why); };
      if (const auto thrown = contain("fetch", [&] { fetch.fetch(e, from, priority::demand, on_done); }))
        on_done(failure_of(thrown, printable(from)));
    }
  }
  return sum.wait();
}

}  // namespace ferryfs::remote
