#include "remote/engine/scan/absence_check.hpp"

#include <fmt/format.h>

#include "index/base/exception_barrier.hpp"
#include "index/base/path.hpp"
#include "remote/source/refused_kind.hpp"

namespace ferryfs::remote {
namespace {

constexpr std::size_t most_running = 256;

}  // namespace

absence_check::absence_check(archive& source, std::string directory, std::vector<name> names, callback on_done)
    : source_(source), directory_(std::move(directory)), names_(std::move(names)), on_done_(std::move(on_done)) {}

// In a loop: a request that is answered at once comes back here, and finds that the loop runs already.
void absence_check::ask_more() {
  lock held{mutex_};
  if (std::exchange(asking_, true)) return;
  while (asked_ < names_.size() && running_ < most_running && !result_.why) {
    const name& n = names_[asked_++];
    ++running_;
    held.unlock();
    const auto on_stat = [self = shared_from_this(), &n](const std::optional<failure>& why, const attributes& a) {
      self->on_answer(n, why, !why && is_refused_kind(a.mode));
    };
    const std::string path = join(directory_, n.name);
    if (const auto thrown = contain("scan", [&] { source_.stat(path, on_stat); }))
      on_answer(n, failure_of(thrown, printable(path)), false);
    held.relock();
  }
  asking_ = false;
  const bool last = running_ == 0 && (asked_ == names_.size() || result_.why) && !std::exchange(done_, true);
  if (!last) return;
  result all = std::move(result_);
  held.unlock();
  on_done_(std::move(all));
}

void absence_check::on_answer(const name& n, const std::optional<failure>& why, bool replaced) {
  {
    const lock held{mutex_};
    --running_;
    if (replaced || (why && why->why == cause::not_found))
      result_.gone.push_back(n.ino);
    else if (why && !result_.why)
      result_.why = why;
    else if (!why && result_.still_there.empty())
      result_.still_there = n.name;
  }
  ask_more();
}

}  // namespace ferryfs::remote
