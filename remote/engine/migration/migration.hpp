// One archive on its way: the engine under a mount and under `ferryfs sync`. Owns the index, the source, the fetches,
// the replication and the scans. The caller owns the destination.
//
// Threads and the order of locks: remote/engine/THREADS.md.
#pragma once

#include <memory>
#include <string>

#include "index/db/reader.hpp"
#include "index/db/writer.hpp"
#include "remote/destination/destination.hpp"
#include "remote/engine/durable/durable_changes.hpp"
#include "remote/engine/fetch/fetcher.hpp"
#include "remote/engine/migration/scanner.hpp"
#include "remote/engine/open_files_query.hpp"
#include "remote/engine/replicate/replicator.hpp"
#include "remote/engine/settings.hpp"
#include "remote/source/archive.hpp"
#include "remote/source/filter.hpp"

namespace ferryfs::remote {

class migration {
 public:
  // `where` was taken and outlives this. Throws ferryfs::error.
  migration(const settings& s, const destination& where, std::unique_ptr<archive> source);
  ~migration();

  // Called after each commit with what changed in the view. Set before `start`.
  void on_changes(index::writer::listener call) { index_.on_change(std::move(call)); }

  // `open`: the files open in the mount. One that is being written keeps its bytes when the source has others. Set
  // before `start`.
  void set_open_files(const open_files_query& open);

  // See scanner::on_scanned. Set before `start`.
  void on_scanned(scanner::scan_callback call) { scanner_.on_scanned(std::move(call)); }

  struct work {
    bool replicate = true;  // in the background, from the first scan of the destination on
    bool rescan = true;     // again every settings.rescan, and when the source comes back
  };
  // Begins to scan both sides.
  void start(work w);
  // Ends all requests to the source, the scans and the fetches, whose callbacks are called. Blocks until all have
  // ended.
  void stop();

  index::writer& index() noexcept { return index_; }
  index::readers& readers() noexcept { return readers_; }
  // Calls `at` with a reader, or, while changes are held, with the writer's rows: it does not make them be committed.
  template <typename Work>
  auto look(Work at) {
    if (const auto mine = index_.pending()) return at(mine->rows());
    return at(*readers_.borrow());
  }
  fetcher& fetch() noexcept { return fetch_; }
  replicator& replicate() noexcept { return replicate_; }
  limiter& limit() noexcept { return limit_; }
  durable_changes& durable() noexcept { return durable_; }
  archive& source() noexcept { return *source_; }
  const destination& where() const noexcept { return where_; }
  const settings& setup() const noexcept { return settings_; }
  // Where the source's symbolic links may lead.
  const index::link_rules& links() const noexcept { return links_; }

  // Calls back once, on the executor that answers readers or before this returns, when this directory's listing is in
  // the index, or cannot be had.
  void when_listed(inode directory, listing_waiters::callback call) {
    scanner_.when_listed(directory, std::move(call));
  }
  // A scan of the source has come to its end since the start: the only directories without a listing are those that
  // cannot be read there, and new ones.
  bool all_listed() const noexcept { return scanner_.all_listed(); }
  // Not while an index that was made anew lacks the decisions, as deleted pictures look like gaps then, nor while the
  // source is not believed.
  bool may_replicate() { return !scanner_.lacks_decisions() && suspicion().empty(); }

  using pass = scan_schedule::pass;
  // A scan of both sides as soon as the running one ends; `call` gets the source's result. `believe`: pictures
  // that are gone from the source are meant to be.
  void rescan(scan_schedule::callback call, pass how = pass::full, bool believe = false) {
    scanner_.request(std::move(call), how, believe);
  }

  // Why the source is not believed, since the last scan that could tell: one line with the remedy. Empty: it is. While
  // it is not, nothing is replicated or pushed; readers still get what they ask for.
  std::string suspicion() { return scanner_.suspicion(); }

  scanner::state scan_state() { return scanner_.now(); }

 private:
  void resume_replication();

  const settings settings_;
  const destination& where_;
  const index::link_rules links_;
  index::writer index_;
  durable_changes durable_;
  index::readers readers_;
  const filter filter_;
  limiter limit_;
  std::unique_ptr<archive> source_;
  fetcher fetch_;
  replicator replicate_;
  work work_;  // set before the threads start
  scanner scanner_;
};

}  // namespace ferryfs::remote
