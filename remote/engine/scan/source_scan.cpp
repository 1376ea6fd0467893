#include "remote/engine/scan/source_scan.hpp"

#include <algorithm>
#include <utility>

#include "index/base/exception_barrier.hpp"
#include "index/base/path.hpp"

namespace ferryfs::remote {
namespace {

constexpr std::size_t most_running = 512;  // directories being listed or merged: bounds memory, hides the round trip
constexpr std::size_t most_failures_kept = 20;
constexpr std::size_t longest_path = 4096;  // PATH_MAX: a deeper path can't exist here, or never ends

}  // namespace

std::string source_scan::shown(const directory& d) { return printable(d.path.empty() ? "." : d.path); }

void source_scan::start() {
  std::int64_t known = 0;
  contain("scan", [&] { known = needs_.readers.borrow()->totals().source().files; });
  {
    const lock held{mutex_};
    gone_.begin(known);
    running_ = 1;
  }
  stat({root_inode, "", {}});
}

bool source_scan::is_cancelled() {
  const lock held{mutex_};
  return cancelled_;
}

void source_scan::count_names(std::size_t n) {
  const lock held{mutex_};
  result_.names += n;
}

void source_scan::prioritize(inode ino) {
  const lock held{mutex_};
  const auto at = std::find_if(waiting_.begin(), waiting_.end(), [&](const directory& d) { return d.ino == ino; });
  if (at != waiting_.end()) std::rotate(waiting_.begin(), at, at + 1);
}

source_scan::result source_scan::so_far() {
  const lock held{mutex_};
  return result_;
}

void source_scan::cancel() {
  const lock held{mutex_};
  cancelled_ = true;
}

void source_scan::add_directories(const std::vector<index::subdirectory>& list) {
  if (list.empty()) return;
  {
    const lock held{mutex_};
    for (const auto& s : list) {
      if (s.path.size() < longest_path) {
        waiting_.push_back({s.ino, s.path, s.attributes});
      } else if (result_.failures.size() < most_failures_kept) {
        result_.failures.push_back({cause::protocol, printable(s.path.substr(0, 80)) + "…: the path is too long"});
      }
    }
  }
  visit_waiting();
}

// In a loop: a visit that ends at once comes back here, and finds that the loop runs already.
void source_scan::visit_waiting() {
  {
    const lock held{mutex_};
    if (std::exchange(visiting_, true)) return;
  }
  while (true) {
    directory next;
    {
      const lock held{mutex_};
      result_.cut_short |= cancelled_ && !waiting_.empty();
      if (cancelled_) waiting_.clear();
      if (waiting_.empty() || running_ >= most_running) {
        visiting_ = false;
        return;
      }
      next = std::move(waiting_.front());
      waiting_.pop_front();
      ++running_;
    }
    if (const auto thrown = contain("scan", [&] { visit(next); }))
      on_directory_done(next.ino, failure_of(thrown, shown(next)));
  }
}

void source_scan::on_directory_done(inode ino, const std::optional<failure>& why, bool notify) {
  if (why) contain("scan", [&] { record_unlisted(ino, *why); });
  if (notify) contain("scan", [&] { needs_.on_listed(ino, why); });
  bool last = false;
  {
    const lock held{mutex_};
    if (why) {
      if (result_.failures.size() < most_failures_kept) result_.failures.push_back(*why);
      if (why->of_connection() || why->why == cause::protocol) cancelled_ = result_.cut_short = true;
      if (why->of_disk()) disk_failed_ = true;
    }
    --running_;
  }
  visit_waiting();
  {
    const lock held{mutex_};
    last = running_ == 0 && waiting_.empty() && !std::exchange(finished_, true);
  }
  if (last && contain("scan", [&] { conclude(); })) contain("scan", [&] { needs_.on_finished(so_far()); });
}

}  // namespace ferryfs::remote
