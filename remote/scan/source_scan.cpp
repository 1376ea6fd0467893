#include "remote/scan/source_scan.hpp"

#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>

#include "index/exception_barrier.hpp"
#include "index/path.hpp"
#include "index/time.hpp"

namespace ferryfs::remote {
namespace {

constexpr std::size_t most_running = 512;  // directories being listed or merged: bounds memory, hides the round trip
constexpr std::size_t most_failures_kept = 20;
constexpr unsigned most_losses = 3;
constexpr std::size_t longest_path = 4096;  // PATH_MAX: what lies deeper has no name here, or does not end

// A listing that was taken in the second in which its directory changed may be older than the change.
std::int64_t mark_of(const side& s) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const std::int64_t mtime = to_seconds(s.mtime);
  return std::chrono::duration_cast<std::chrono::seconds>(now).count() - mtime > 2 ? mtime : 0;
}

}  // namespace

std::string source_scan::shown(const directory& d) { return printable(d.path.empty() ? "." : d.path); }

// One directory's listing on its way into the index.
class source_scan::one_listing final : public listing {
 public:
  one_listing(std::shared_ptr<source_scan> scan, directory d)
      : scan_(std::move(scan)),
        directory_(std::move(d)),
        merge_(std::make_shared<index::listing_merge>(
            index::which::source, directory_.ino, directory_.path, nullptr,
            // A name that the filter of an earlier scan let through.
            [scan = scan_.get(), path = directory_.path](const entry& e) {
              const attributes a{e.source->mode, e.source->size, to_seconds(e.source->mtime)};
              return scan->services_.leave_out.leaves_out(path, {e.name, a, e.target});
            })) {}

  void batch(std::vector<found> names) override {
    auto listed = std::make_shared<std::vector<index::listed>>();
    for (auto& f : names) {
      if (scan_->services_.leave_out.leaves_out(directory_.path, f)) continue;
      listed->push_back({std::move(f.name), scan_->side_of(f.attrs), std::move(f.target), {}, {}});
    }
    auto subdirectories = std::make_shared<std::vector<index::subdirectory>>();
    scan_->services_.index.post(
        [merge = merge_, listed, subdirectories](index::transaction& t) { *subdirectories = merge->batch(t, *listed); },
        [scan = scan_, self = self_failure_, listed, subdirectories](std::exception_ptr failed) {
          if (failed) return self->set(failed);
          {
            const std::lock_guard lock{scan->mutex_};
            scan->result_.names += listed->size();
          }
          scan->found_directories(*subdirectories);
        });
  }

  void finished(const std::optional<failure>& why) override {
    // Behind its batches, whose directories belong to this scan as well.
    if (why)
      return scan_->services_.index.post([](index::transaction&) {},
                                         [scan = scan_, d = directory_, why](std::exception_ptr) mutable {
                                           scan->goes_again(d, why) ? scan->list(d) : scan->done(d.ino, why);
                                         });
    scan_->services_.index.post(
        [merge = merge_, self = self_failure_, d = directory_](index::transaction& t) {
          if (self->text.empty()) merge->finish(t, d.attributes, mark_of(d.attributes));
        },
        [scan = scan_, self = self_failure_, d = directory_](std::exception_ptr failed) {
          if (failed) self->set(failed);
          if (self->text.empty()) return scan->done(d.ino, std::nullopt);
          scan->done(d.ino,
                     failure{cause::local_error, printable(d.path) + ": not merged into the index: " + self->text});
        });
  }

 private:
  // What the index refused of this directory; touched on the writer's thread only.
  struct refusal {
    std::string text;
    void set(const std::exception_ptr& e) { text = text_of(e); }
  };
  std::shared_ptr<source_scan> scan_;
  directory directory_;
  std::shared_ptr<index::listing_merge> merge_;
  std::shared_ptr<refusal> self_failure_ = std::make_shared<refusal>();
};

void source_scan::start() {
  running_ = 1;
  look({root_inode, "", {}});
}

void source_scan::look(const directory& d) {
  const auto answered = [self = shared_from_this(), d = directory{d}](const std::optional<failure>& why,
                                                                      const attributes& a) mutable {
    if (self->goes_again(d, why)) return self->look(d);
    d.attributes = self->side_of(a);
    const bool no_root = !why && d.ino == root_inode && !S_ISDIR(a.mode);
    self->looked_at(d, no_root ? failure{cause::not_found, "the source is no directory"} : why);
  };
  if (const auto thrown = contain("scan", [&] { services_.source.stat(d.path, answered); }))
    looked_at(d, failure_of(thrown, shown(d)));
}

bool source_scan::goes_again(directory& d, const std::optional<failure>& why) {
  if (!why || (why->why != cause::unreachable && why->why != cause::timeout)) return false;
  bool reachable = false;
  contain("scan", [&] { reachable = services_.source.state().reachable; });
  if (++d.losses >= most_losses || !reachable) return false;
  const std::lock_guard lock{mutex_};
  return !cancelled_;
}

void source_scan::hurry(inode ino) {
  const std::lock_guard lock{mutex_};
  const auto at = std::find_if(waiting_.begin(), waiting_.end(), [&](const directory& d) { return d.ino == ino; });
  if (at != waiting_.end()) std::rotate(waiting_.begin(), at, at + 1);
}

source_scan::result source_scan::so_far() {
  const std::lock_guard lock{mutex_};
  return result_;
}

void source_scan::cancel() {
  const std::lock_guard lock{mutex_};
  cancelled_ = true;
}

void source_scan::found_directories(const std::vector<index::subdirectory>& list) {
  if (list.empty()) return;
  {
    const std::lock_guard lock{mutex_};
    for (const auto& s : list) {
      if (s.path.size() < longest_path) {
        waiting_.push_back({s.ino, s.path, s.attributes});
      } else if (result_.failures.size() < most_failures_kept) {
        result_.failures.push_back({cause::protocol, printable(s.path.substr(0, 80)) + "…: deeper than a path can be"});
      }
    }
  }
  pump();
}

// Visits what waits, in a loop: a visit that ends at once comes back here, and finds that somebody is at it already.
void source_scan::pump() {
  {
    const std::lock_guard lock{mutex_};
    if (std::exchange(pumping_, true)) return;
  }
  while (true) {
    directory next;
    {
      const std::lock_guard lock{mutex_};
      result_.cut_short |= cancelled_ && !waiting_.empty();
      if (cancelled_) waiting_.clear();
      if (waiting_.empty() || running_ >= most_running) {
        pumping_ = false;
        return;
      }
      next = std::move(waiting_.front());
      waiting_.pop_front();
      ++running_;
    }
    if (const auto thrown = contain("scan", [&] { visit(next); })) done(next.ino, failure_of(thrown, shown(next)));
  }
}

// The answer to a look at one directory: it is queued for its visit, which tells who waits for its listing.
void source_scan::looked_at(const directory& d, const std::optional<failure>& why) {
  const bool queued = !why && S_ISDIR(d.attributes.mode);
  if (queued) found_directories({{d.ino, d.path, d.attributes}});
  done(d.ino, why, !queued);
}

void source_scan::visit(const directory& d) {
  const auto row = services_.readers.borrow()->by_inode(d.ino);
  const bool unchanged = row && row->listed && *row->listed != 0 && *row->listed == to_seconds(d.attributes.mtime);
  if (unchanged && !full_) return skip(d);
  // Where the destination has something else under this name, what lies below cannot be shown.
  if (row && row->local && !S_ISDIR(row->local->mode)) return done(d.ino, std::nullopt);
  list(d);
}

// Nothing was added here or removed; each subdirectory may have changed by itself.
void source_scan::skip(const directory& d) {
  std::vector<index::subdirectory> below;
  {
    const auto reader = services_.readers.borrow();
    reader->subdirectories(d.ino, "", [&](entry&& e) {
      if (e.source && !e.origin) below.push_back({e.ino, join(d.path, e.name), *e.source});
      return true;
    });
    // Renamed here, they still are where they were on the source.
    reader->hidden_children(d.ino, "", [&](entry&& e) {
      if (e.state != state::moved || !e.is_directory()) return true;
      if (const auto moved = reader->by_origin(e.ino)) below.push_back({moved->ino, join(d.path, e.name), *e.source});
      return true;
    });
  }
  {
    const std::lock_guard lock{mutex_};
    ++result_.skipped;
    running_ += below.size();
  }
  for (const auto& s : below) look({s.ino, s.path, {}});
  done(d.ino, std::nullopt);
}

void source_scan::list(const directory& d) {
  {
    const std::lock_guard lock{mutex_};
    ++result_.directories;
  }
  const auto to = std::make_shared<one_listing>(shared_from_this(), d);
  if (const auto thrown = contain("scan", [&] { services_.source.list(d.path, to); }))
    done(d.ino, failure_of(thrown, shown(d)));
}

void source_scan::done(inode ino, const std::optional<failure>& why, bool tell) {
  if (tell) contain("scan", [&] { services_.listed(ino, why); });
  bool last = false;
  {
    const std::lock_guard lock{mutex_};
    if (why) {
      if (result_.failures.size() < most_failures_kept) result_.failures.push_back(*why);
      if (why->of_connection() || why->why == cause::protocol) cancelled_ = result_.cut_short = true;
    }
    --running_;
  }
  pump();
  {
    const std::lock_guard lock{mutex_};
    last = running_ == 0 && waiting_.empty() && !std::exchange(over_, over_ || (running_ == 0 && waiting_.empty()));
  }
  if (last) contain("scan", [&] { services_.finished(so_far()); });
}

}  // namespace ferryfs::remote
