#include "remote/engine/scan/source_scan.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "index/base/exception_barrier.hpp"
#include "index/base/path.hpp"
#include "index/base/time.hpp"
#include "index/update/away.hpp"
#include "remote/engine/scan/directory_listing.hpp"

namespace ferryfs::remote {
namespace {

constexpr std::size_t most_running = 512;  // directories being listed or merged: bounds memory, hides the round trip
constexpr std::size_t most_failures_kept = 20;
constexpr unsigned most_connection_losses = 3;
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

void source_scan::stat(const directory& d) {
  const auto answered = [self = shared_from_this(), d = directory{d}](const std::optional<failure>& why,
                                                                      const attributes& a) mutable {
    if (self->should_retry(d, why)) return self->stat(d);
    d.attributes = self->facts_of(a);
    const bool no_root = !why && d.ino == root_inode && !S_ISDIR(a.mode);
    self->on_stat(d, no_root ? failure{cause::not_found, "the source is not a directory"} : why);
  };
  if (const auto thrown = contain("scan", [&] { needs_.source.stat(d.path, answered); }))
    on_stat(d, failure_of(thrown, shown(d)));
}

bool source_scan::should_retry(directory& d, const std::optional<failure>& why) {
  if (!why || (why->why != cause::unreachable && why->why != cause::timeout)) return false;
  bool reachable = false;
  contain("scan", [&] { reachable = needs_.source.state().reachable; });
  return ++d.connection_losses < most_connection_losses && reachable && !is_cancelled();
}

bool source_scan::is_cancelled() {
  const lock held{mutex_};
  return cancelled_;
}

void source_scan::count_names(std::size_t n) {
  const lock held{mutex_};
  result_.names += n;
}

void source_scan::set_empty() {
  const lock held{mutex_};
  gone_.set_empty();
}

// These are not there any more, with all that lies below them.
void source_scan::add_gone(const std::vector<inode>& gone) {
  const auto reader = needs_.readers.borrow();
  for (const inode ino : gone) {
    std::int64_t enough = 0;
    {
      const lock held{mutex_};
      if (gone_.is_too_much()) return;
      enough = gone_.most_counted();
    }
    const auto pictures = enough > 0 ? source_pictures_below(*reader, ino, enough) : 0;
    const lock held{mutex_};
    gone_.add(ino, pictures);
  }
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

// The directory is queued for its visit, which notifies those that wait for its listing.
void source_scan::on_stat(const directory& d, const std::optional<failure>& why) {
  const bool queued = !why && S_ISDIR(d.attributes.mode);
  if (queued) add_directories({{d.ino, d.path, d.attributes}});
  on_directory_done(d.ino, why, !queued);
}

void source_scan::visit(const directory& d) {
  const auto reader = needs_.readers.borrow();
  const auto row = reader->by_inode(d.ino);
  const bool unchanged =
      row && row->listed_mtime && *row->listed_mtime != 0 && *row->listed_mtime == to_seconds(d.attributes.mtime);
  if (unchanged && !full_ && !reader->why_unlisted(d.ino)) return skip(d);
  // Where the destination has something else under this name, the directory can't be shown.
  if (row && row->local && !S_ISDIR(row->local->mode)) return on_directory_done(d.ino, std::nullopt);
  list(d);
}

// Nothing was added here or removed; each subdirectory may have changed by itself.
void source_scan::skip(const directory& d) {
  std::vector<index::subdirectory> below;
  {
    const auto reader = needs_.readers.borrow();
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
    const lock held{mutex_};
    ++result_.skipped;
    running_ += below.size();
  }
  for (const auto& s : below) stat({s.ino, s.path, {}});
  on_directory_done(d.ino, std::nullopt);
}

void source_scan::list(const directory& d) {
  {
    const lock held{mutex_};
    ++result_.directories;
  }
  const auto to = std::make_shared<directory_listing>(shared_from_this(), d);
  if (const auto thrown = contain("scan", [&] { needs_.source.list(d.path, to); }))
    on_directory_done(d.ino, failure_of(thrown, shown(d)));
}

// It keeps the archive from being complete until it is listed.
void source_scan::record_unlisted(inode ino, const failure& why) {
  if (why.of_connection() || why.of_disk()) return;
  needs_.index.post([ino, denied = why.why == cause::permission, text = why.text](index::transaction& t) {
    if (t.by_inode(ino)) t.could_not_list(ino, denied, text);
  });
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

// All listings have ended. Where the scan was cut short, the next one finds again what is gone.
void source_scan::conclude() {
  result r;
  std::vector<inode> gone;
  {
    const lock held{mutex_};
    if (!result_.cut_short) result_.suspicious = gone_.doubt();
    result_.empty = gone_.is_empty();
    r = result_;
    if (!r.cut_short && r.suspicious.empty()) gone = gone_.take();
  }
  if (r.cut_short || !r.suspicious.empty()) return needs_.on_finished(r);
  remove_from_source(needs_.index, std::move(gone), [self = shared_from_this()](std::exception_ptr thrown) {
    if (thrown) {
      const lock held{self->mutex_};
      self->disk_failed_ = true;
      self->result_.failures.push_back(
          failure_of(thrown, "what disappeared from the source is not entered in the index"));
    }
    if (contain("scan", [&] { self->bring_back(); })) self->needs_.on_finished(self->so_far());
  });
}

// A picture that was renamed here and is on the source again may have come before the directory that it belongs into in
// the view. This scan puts it there now, and lists the directories among such entries as well.
void source_scan::bring_back() {
  const auto back = std::make_shared<std::vector<index::subdirectory>>();
  bool whole = needs_.readers.borrow()->unlisted() == 0;
  {
    const lock held{mutex_};
    whole = whole && !disk_failed_;
  }
  needs_.index.post(
      [back, whole](index::transaction& t) {
        back->clear();
        for (const inode ino : index::bring_back_waiting(t, whole))
          if (auto path = index::source_path_of(t.name, ino))
            back->push_back({ino, *std::move(path), t.by_inode(ino)->source.value_or(file_facts{})});
      },
      [self = shared_from_this(), back](std::exception_ptr failed) {
        {
          const lock held{self->mutex_};
          if (failed)
            self->result_.failures.push_back(failure_of(failed, "what is back at the source is not in the index"));
          else if (!back->empty())
            self->finished_ = false, self->running_ = 1;  // this, until all are queued
        }
        if (failed || back->empty()) return self->needs_.on_finished(self->so_far());
        self->add_directories(*back);
        self->on_directory_done(root_inode, std::nullopt, false);
      });
}

}  // namespace ferryfs::remote
