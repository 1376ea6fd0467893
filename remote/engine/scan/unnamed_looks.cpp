#include "remote/engine/scan/unnamed_looks.hpp"

#include <fmt/format.h>

#include "index/base/exception_barrier.hpp"
#include "index/base/path.hpp"
#include "remote/source/refused_kind.hpp"

namespace ferryfs::remote {
namespace {

constexpr std::size_t most_running = 256;

}  // namespace

unnamed_looks::unnamed_looks(archive& source, std::string directory, std::vector<name> names,
                             std::function<void(answer)> done)
    : source_(source), directory_(std::move(directory)), names_(std::move(names)), done_(std::move(done)) {}

void unnamed_looks::start() { look_at_more(); }

// In a loop: a look that is answered at once comes back here, and finds that another is at it.
void unnamed_looks::look_at_more() {
  std::unique_lock lock{mutex_};
  if (std::exchange(asking_, true)) return;
  while (asked_ < names_.size() && running_ < most_running && !answer_.why) {
    const name& n = names_[asked_++];
    ++running_;
    lock.unlock();
    const auto told = [self = shared_from_this(), &n](const std::optional<failure>& why, const attributes& a) {
      self->answered(n, why, !why && is_refused_kind(a.mode));
    };
    const std::string path = join(directory_, n.name);
    if (const auto thrown = contain("scan", [&] { source_.stat(path, told); }))
      answered(n, failure_of(thrown, printable(path)), false);
    lock.lock();
  }
  asking_ = false;
  const bool last = running_ == 0 && (asked_ == names_.size() || answer_.why) && !std::exchange(over_, true);
  lock.unlock();
  if (last) done_(std::move(answer_));
}

void unnamed_looks::answered(const name& n, const std::optional<failure>& why, bool replaced) {
  {
    const std::lock_guard lock{mutex_};
    --running_;
    if (replaced || (why && why->why == cause::not_found))
      answer_.gone.push_back(n.ino);
    else if (why && !answer_.why)
      answer_.why = why;
    else if (!why && answer_.still_there.empty())
      answer_.still_there = n.name;
  }
  look_at_more();
}

}  // namespace ferryfs::remote
