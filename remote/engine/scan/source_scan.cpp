#include "remote/engine/scan/source_scan.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>

#include "index/base/exception_barrier.hpp"
#include "index/base/path.hpp"
#include "index/base/time.hpp"
#include "index/update/away.hpp"
#include "index/update/refused_names.hpp"
#include "remote/engine/scan/unnamed_looks.hpp"

namespace ferryfs::remote {
namespace {

constexpr std::size_t most_running = 512;  // directories being listed or merged: bounds memory, hides the round trip
constexpr std::size_t most_failures_kept = 20;
constexpr unsigned most_losses = 3, most_changes = 3;
constexpr std::size_t longest_path = 4096;  // PATH_MAX: what lies deeper has no name here, or does not end

// A listing that was taken in the second in which its directory changed may be older than the change.
std::int64_t mark_of(const file_facts& s) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const std::int64_t mtime = to_seconds(s.mtime);
  return std::chrono::duration_cast<std::chrono::seconds>(now).count() - mtime > 2 ? mtime : 0;
}

}  // namespace

std::string source_scan::shown(const directory& d) { return printable(d.path.empty() ? "." : d.path); }

// One directory's listing on its way into the index.
class source_scan::one_listing final : public listing, public std::enable_shared_from_this<one_listing> {
 public:
  one_listing(std::shared_ptr<source_scan> scan, directory d)
      : scan_(std::move(scan)),
        directory_(std::move(d)),
        merge_(std::make_shared<index::listing_merge>(
            index::side::source, directory_.ino, directory_.path, nullptr,
            // A name that the filter of an earlier scan let through.
            [scan = scan_.get(), path = directory_.path](const entry& e) {
              const attributes a{e.source->mode, e.source->size, to_seconds(e.source->mtime)};
              return scan->services_.leave_out.excludes(path, {e.name, a, e.target});
            })) {}

  void batch(std::vector<directory_entry> names) override {
    named_ = named_ || !names.empty();
    auto listed = std::make_shared<std::vector<index::directory_entry>>();
    auto left_out = std::make_shared<std::vector<std::string>>();
    for (auto& f : names) {
      if (scan_->services_.leave_out.excludes(directory_.path, f)) {
        left_out->push_back(std::move(f.name));
        continue;
      }
      listed->push_back({std::move(f.name), scan_->side_of(f.attrs), std::move(f.target), {}, {}});
    }
    auto subdirectories = std::make_shared<std::vector<index::subdirectory>>();
    scan_->services_.index.post(
        [merge = merge_, listed, left_out, subdirectories](index::transaction& t) {
          *subdirectories = merge->batch(t, *listed);
          merge->keep_rows_of(t, *left_out);
        },
        [scan = scan_, self = self_failure_, listed, subdirectories](std::exception_ptr failed) {
          if (failed) return self->set(failed);
          {
            const std::lock_guard lock{scan->mutex_};
            scan->result_.names += listed->size();
          }
          scan->found_directories(*subdirectories);
        });
  }

  void refused(std::string name, std::string why) override {
    named_ = true;
    if (scan_->services_.leave_out.excludes(directory_.path, {name, {S_IFREG, {}, {}}, {}})) return;
    spdlog::warn("scan: {}: refused: {}", printable(join(directory_.path, name)), why);
    refused_->push_back({std::move(name), std::move(why)});
  }

  void finished(const std::optional<failure>& why) override {
    // Behind its batches, whose directories belong to this scan as well.
    if (why)
      return scan_->services_.index.post(
          [ino = directory_.ino, names = refused_](index::transaction& t) {
            index::apply_refused_names(t, ino, *names, false);
          },
          [scan = scan_, d = directory_, why](std::exception_ptr) mutable {
            scan->goes_again(d, why) ? scan->list(d) : scan->done(d.ino, why);
          });
    if (named_) return merge_end();
    // A directory that may be read and not be entered lists as empty: then not even its "." can be looked at.
    if (directory_.ino == root_inode) scan_->gone_.set_empty();
    const auto looked = [self = shared_from_this()](const std::optional<failure>& why, const attributes&) {
      why ? self->give_up(*why) : self->merge_end();
    };
    const std::string path = join(directory_.path, ".");
    if (const auto thrown = contain("scan", [&] { scan_->services_.source.stat(path, looked); }))
      give_up(failure_of(thrown, shown(directory_)));
  }

 private:
  // The listing came to its end; what it did not name is looked at before the index believes that it is gone.
  void merge_end() {
    const auto names = std::make_shared<std::vector<unnamed_looks::name>>();
    scan_->services_.index.post(
        [self = shared_from_this(), names](index::transaction& t) {
          if (self->self_failure_->text.empty()) *names = self->merge_->not_named(t);
          if (names->empty()) self->enter(t, true);
        },
        [self = shared_from_this(), names](std::exception_ptr failed) {
          if (failed || names->empty()) return self->entered(failed);
          std::make_shared<unnamed_looks>(self->scan_->services_.source, self->directory_.path, std::move(*names),
                                          [self](const unnamed_looks::answer& a) {
                                            if (const auto thrown = contain("scan", [&] { self->looked_at(a); }))
                                              self->give_up(failure_of(thrown, shown(self->directory_)));
                                          })
              ->start();
        });
  }

  void looked_at(const unnamed_looks::answer& a) {
    directory& d = directory_;
    if (a.why)
      return give_up(
          {a.why->why, fmt::format("{}: its listing lacks a name that can't be looked at, so nothing of it is "
                                   "taken away: {}",
                                   shown(d), a.why->text)});
    if (!a.still_there.empty()) {
      if (++d.changes < most_changes && scan_->goes_on()) return scan_->list(d);
      return give_up({cause::source_error,
                      fmt::format("{}: its listing lacks {}, which is there", shown(d), printable(a.still_there))});
    }
    scan_->gone_.add(a.gone);
    scan_->services_.index.post([self = shared_from_this()](index::transaction& t) { self->enter(t, false); },
                                [self = shared_from_this()](std::exception_ptr failed) { self->entered(failed); });
  }

  // What is gone stays until the end of the scan, and its directory is listed again; `all_named`: nothing is.
  void enter(index::transaction& t, bool all_named) const {
    const bool whole = self_failure_->text.empty();
    index::apply_refused_names(t, directory_.ino, *refused_, whole);
    if (!whole) return;
    merge_->finish_keeping(t, directory_.attributes, all_named ? mark_of(directory_.attributes) : 0);
    if (t.has_unlisted()) t.was_listed(directory_.ino);
  }
  void entered(const std::exception_ptr& failed) const {
    if (failed) self_failure_->set(failed);
    if (self_failure_->text.empty()) return scan_->done(directory_.ino, std::nullopt);
    scan_->done(directory_.ino, failure{cause::local_error, printable(directory_.path) +
                                                                ": not merged into the index: " + self_failure_->text});
  }

  // The listing can't be had, or not be relied on.
  void give_up(const failure& why) {
    scan_->goes_again(directory_, why) ? scan_->list(directory_) : scan_->done(directory_.ino, why);
  }

  // What the index refused of this directory; touched on the writer's thread only.
  struct refusal {
    std::string text;
    void set(const std::exception_ptr& e) { text = text_of(e); }
  };
  std::shared_ptr<source_scan> scan_;
  directory directory_;
  std::shared_ptr<index::listing_merge> merge_;
  std::shared_ptr<std::vector<index::refused_name>> refused_ = std::make_shared<std::vector<index::refused_name>>();
  std::shared_ptr<refusal> self_failure_ = std::make_shared<refusal>();
  bool named_ = false;  // the listing held a name
};

void source_scan::start() {
  contain("scan", [&] { gone_.begin(); });
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
  return ++d.losses < most_losses && reachable && goes_on();
}

bool source_scan::goes_on() {
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
  const auto reader = services_.readers.borrow();
  const auto row = reader->by_inode(d.ino);
  const bool unchanged =
      row && row->listed_mtime && *row->listed_mtime != 0 && *row->listed_mtime == to_seconds(d.attributes.mtime);
  if (unchanged && !full_ && !reader->why_unlisted(d.ino)) return skip(d);
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
      const auto moved = reader->by_origin(e.ino);
      if (moved && !is_away(moved->state)) below.push_back({moved->ino, join(d.path, e.name), *e.source});
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

// It keeps the archive from being complete until it is listed.
void source_scan::failed(inode ino, const failure& why) {
  if (why.of_connection() || why.of_disk()) return;
  services_.index.post([ino, denied = why.why == cause::permission, text = why.text](index::transaction& t) {
    if (t.by_inode(ino)) t.could_not_list(ino, denied, text);
  });
}

void source_scan::done(inode ino, const std::optional<failure>& why, bool tell) {
  if (why) contain("scan", [&] { failed(ino, *why); });
  if (tell) contain("scan", [&] { services_.listed(ino, why); });
  bool last = false;
  {
    const std::lock_guard lock{mutex_};
    if (why) {
      if (result_.failures.size() < most_failures_kept) result_.failures.push_back(*why);
      if (why->of_connection() || why->why == cause::protocol) cancelled_ = result_.cut_short = true;
      if (why->of_disk()) disk_failed_ = true;
    }
    --running_;
  }
  pump();
  {
    const std::lock_guard lock{mutex_};
    last = running_ == 0 && waiting_.empty() && !std::exchange(over_, over_ || (running_ == 0 && waiting_.empty()));
  }
  if (last && contain("scan", [&] { end(); })) contain("scan", [&] { services_.finished(so_far()); });
}

// All listings have ended. What was gone where the scan was cut short is found again by the next one.
void source_scan::end() {
  auto r = so_far();
  if (!r.cut_short) r.suspicious = gone_.doubt();
  {
    const std::lock_guard lock{mutex_};
    result_.suspicious = r.suspicious, result_.empty = r.empty = gone_.is_empty();
  }
  if (r.cut_short || !r.suspicious.empty()) return services_.finished(r);
  gone_.enter(services_.index, [self = shared_from_this()](std::exception_ptr thrown) {
    if (thrown) {
      const std::lock_guard lock{self->mutex_};
      self->disk_failed_ = true;
      self->result_.failures.push_back(failure_of(thrown, "what left the source is not entered in the index"));
    }
    if (contain("scan", [&] { self->bring_back(); })) self->services_.finished(self->so_far());
  });
}

// What was renamed here and is on the source again may have found no place in the view, whose directories came later.
// The directories among it are listed by this scan as well.
void source_scan::bring_back() {
  const auto back = std::make_shared<std::vector<index::subdirectory>>();
  bool whole = services_.readers.borrow()->unlisted() == 0;
  {
    const std::lock_guard lock{mutex_};
    whole = whole && !disk_failed_;
  }
  services_.index.post(
      [back, whole](index::transaction& t) {
        back->clear();
        for (const inode ino : index::bring_back_waiting(t, whole))
          if (auto path = index::source_path_of(t.name, ino))
            back->push_back({ino, *std::move(path), t.by_inode(ino)->source.value_or(file_facts{})});
      },
      [self = shared_from_this(), back](std::exception_ptr failed) {
        {
          const std::lock_guard lock{self->mutex_};
          if (failed)
            self->result_.failures.push_back(failure_of(failed, "what is back at the source is not in the index"));
          else if (!back->empty())
            self->over_ = false, self->running_ = 1;  // this, until all are queued
        }
        if (failed || back->empty()) return self->services_.finished(self->so_far());
        self->found_directories(*back);
        self->done(root_inode, std::nullopt, false);
      });
}

}  // namespace ferryfs::remote
