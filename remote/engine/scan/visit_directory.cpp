// How a scan visits one directory of the source: it is asked for, and listed unless it has not changed.
#include <sys/stat.h>

#include "index/base/exception_barrier.hpp"
#include "index/base/path.hpp"
#include "index/base/time.hpp"
#include "remote/engine/scan/directory_listing.hpp"
#include "remote/engine/scan/source_scan.hpp"

namespace ferryfs::remote {
namespace {

constexpr unsigned most_connection_losses = 3;

}  // namespace

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

}  // namespace ferryfs::remote
