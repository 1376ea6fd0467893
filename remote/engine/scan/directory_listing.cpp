#include "remote/engine/scan/directory_listing.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <chrono>

#include "index/base/clock.hpp"
#include "index/base/exception_barrier.hpp"
#include "index/base/path.hpp"
#include "index/base/time.hpp"

namespace ferryfs::remote {
namespace {

constexpr unsigned most_contradictions = 3;

// A listing that was taken in the second in which its directory changed may be older than the change.
std::int64_t mark_of(const file_facts& s) {
  const auto now = wall_now().time_since_epoch();
  const std::int64_t mtime = to_seconds(s.mtime);
  return std::chrono::duration_cast<std::chrono::seconds>(now).count() - mtime > 2 ? mtime : 0;
}

}  // namespace

void source_scan::directory_listing::index_failure::set(const std::exception_ptr& e) { text = text_of(e); }

source_scan::directory_listing::directory_listing(std::shared_ptr<source_scan> scan, directory d)
    : scan_(std::move(scan)),
      directory_(std::move(d)),
      merge_(std::make_shared<index::listing_merge>(
          index::side::source, directory_.ino, directory_.path, nullptr,
          // A name that the filter of an earlier scan let through.
          [scan = scan_.get(), path = directory_.path](const entry& e) {
            const attributes a{e.source->mode, e.source->size, to_seconds(e.source->mtime)};
            return scan->needs_.excluded.excludes(path, {e.name, a, e.target});
          })) {}

void source_scan::directory_listing::batch(std::vector<directory_entry> names) {
  has_names_ = has_names_ || !names.empty();
  auto listed = std::make_shared<std::vector<index::directory_entry>>();
  auto excluded = std::make_shared<std::vector<std::string>>();
  for (auto& f : names) {
    if (scan_->needs_.excluded.excludes(directory_.path, f)) {
      excluded->push_back(std::move(f.name));
      continue;
    }
    listed->push_back({std::move(f.name), scan_->facts_of(f.attrs), std::move(f.target), {}, {}});
  }
  auto subdirectories = std::make_shared<std::vector<index::subdirectory>>();
  scan_->needs_.index.post(
      [merge = merge_, listed, excluded, subdirectories](index::transaction& t) {
        *subdirectories = merge->batch(t, *listed);
        merge->keep_rows_of(t, *excluded);
      },
      [scan = scan_, mine = failure_, listed, subdirectories](std::exception_ptr failed) {
        if (failed) return mine->set(failed);
        scan->count_names(listed->size());
        scan->add_directories(*subdirectories);
      });
}

void source_scan::directory_listing::refused(std::string name, std::string why) {
  has_names_ = true;
  if (scan_->needs_.excluded.excludes(directory_.path, {name, {S_IFREG, {}, {}}, {}})) return;
  spdlog::warn("scan: {}: refused: {}", printable(join(directory_.path, name)), why);
  refused_->push_back({std::move(name), std::move(why)});
}

void source_scan::directory_listing::finished(const std::optional<failure>& why) {
  // As a job behind those of its batches, whose directories belong to this scan as well.
  if (why)
    return scan_->needs_.index.post([ino = directory_.ino, names = refused_](
                                        index::transaction& t) { index::apply_refused_names(t, ino, *names, false); },
                                    [scan = scan_, d = directory_, why](std::exception_ptr) mutable {
                                      scan->should_retry(d, why) ? scan->list(d) : scan->on_directory_done(d.ino, why);
                                    });
  if (has_names_) return merge_end();
  // A directory that may be read and not be entered lists as empty: then not even its "." can be looked at.
  if (directory_.ino == root_inode) scan_->set_empty();
  const auto on_stat = [self = shared_from_this()](const std::optional<failure>& failed, const attributes&) {
    failed ? self->give_up(*failed) : self->merge_end();
  };
  const std::string path = join(directory_.path, ".");
  if (const auto thrown = contain("scan", [&] { scan_->needs_.source.stat(path, on_stat); }))
    give_up(failure_of(thrown, shown(directory_)));
}

void source_scan::directory_listing::merge_end() {
  const auto names = std::make_shared<std::vector<absence_check::name>>();
  scan_->needs_.index.post(
      [self = shared_from_this(), names](index::transaction& t) {
        if (self->failure_->text.empty()) *names = self->merge_->not_named(t);
        if (names->empty()) self->enter(t, true);
      },
      [self = shared_from_this(), names](std::exception_ptr failed) {
        if (failed || names->empty()) return self->on_entered(failed);
        const auto on_done = [self](const absence_check::result& r) {
          if (const auto thrown = contain("scan", [&] { self->on_absence_checked(r); }))
            self->give_up(failure_of(thrown, shown(self->directory_)));
        };
        std::make_shared<absence_check>(self->scan_->needs_.source, self->directory_.path, std::move(*names), on_done)
            ->start();
      });
}

void source_scan::directory_listing::on_absence_checked(const absence_check::result& r) {
  directory& d = directory_;
  if (r.why)
    return give_up({r.why->why, fmt::format("{}: its listing lacks a name, and whether that is gone can't be found "
                                            "out, so nothing in it counts as gone: {}",
                                            shown(d), r.why->text)});
  if (!r.still_there.empty()) {
    if (++d.contradictions < most_contradictions && !scan_->is_cancelled()) return scan_->list(d);
    return give_up({cause::source_error,
                    fmt::format("{}: its listing lacks {}, which exists", shown(d), printable(r.still_there))});
  }
  scan_->add_gone(r.gone);
  scan_->needs_.index.post([self = shared_from_this()](index::transaction& t) { self->enter(t, false); },
                           [self = shared_from_this()](std::exception_ptr failed) { self->on_entered(failed); });
}

// Names that are gone stay in the index until the end of the scan, so that their directory is listed again then;
// `all_named`: there are none.
void source_scan::directory_listing::enter(index::transaction& t, bool all_named) const {
  const bool whole = failure_->text.empty();
  index::apply_refused_names(t, directory_.ino, *refused_, whole);
  if (!whole) return;
  merge_->finish_keeping(t, directory_.attributes, all_named ? mark_of(directory_.attributes) : 0);
  if (t.has_unlisted()) t.was_listed(directory_.ino);
}

void source_scan::directory_listing::on_entered(const std::exception_ptr& failed) const {
  if (failed) failure_->set(failed);
  if (failure_->text.empty()) return scan_->on_directory_done(directory_.ino, std::nullopt);
  scan_->on_directory_done(
      directory_.ino,
      failure{cause::local_error, printable(directory_.path) + ": not merged into the index: " + failure_->text});
}

// The listing can't be had, or not be relied on.
void source_scan::directory_listing::give_up(const failure& why) {
  scan_->should_retry(directory_, why) ? scan_->list(directory_) : scan_->on_directory_done(directory_.ino, why);
}

}  // namespace ferryfs::remote
