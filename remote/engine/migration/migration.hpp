// One archive on its way: the engine under a mount and under `ferryfs sync`. Owns the index, the source, the fetches,
// the replication and the scans; what it needs of the destination's directory stays with the caller.
//
// Order of locks, the first to be taken first; none is taken while one that stands behind it is held:
//   1. destination::namespace_lock(), the namespace. Held while one waits for the index's writer, so that the disk and
//   the index
//      change together.
//   2. migration, fetcher (its table of fetches), replicator, source_scan: their own mutexes, one at a time; the first
//      two are held while a reader of the index is borrowed.
//   3. picture, landing, the queues of disk threads and executors: held for arithmetic.
//   4. The index's writer: to wait for a job, for room in its queue or, when a reader is borrowed, for what is held to
//   be
//      committed.
// So nothing that the writer calls (what follows a commit, its observer, on_rollback) takes the namespace, waits for a
// job or for a thread that does. Readers that wait for bytes take the namespace when they are told of them: they are
// told on a disk thread or by the fetcher's executor, which hold nothing. The kernel is told by the invalidator alone,
// which holds nothing either: the kernel may wait for any handler while it answers. Order of ends: the source ends its
// requests, the scanner and the replicator are joined, then the last fetch is told of; each may be told of the end of
// what it asked for until then.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "index/db/reader.hpp"
#include "index/db/writer.hpp"
#include "remote/destination/destination.hpp"
#include "remote/engine/durable/durable_changes.hpp"
#include "remote/engine/fetch/fetcher.hpp"
#include "remote/engine/open_files_query.hpp"
#include "remote/engine/replicate/replicator.hpp"
#include "remote/engine/scan/directory_marks.hpp"
#include "remote/engine/scan/source_scan.hpp"
#include "remote/engine/settings.hpp"
#include "remote/source/archive.hpp"
#include "remote/source/filter.hpp"

namespace ferryfs::remote {

class migration {
 public:
  // `where` was taken and outlives this. Throws ferryfs::error.
  migration(const settings& s, const destination& where, std::unique_ptr<archive> source);
  ~migration();

  // Told after each commit what changed in the view. Set before `start`.
  void observe(index::writer::listener observer) { index_.on_change(std::move(observer)); }

  // What is open in the mount: a picture's bytes are not given up for the source's under somebody who writes to them.
  // Set before `start`.
  void watch(const open_files_query& open);

  // Told after each scan that was not cut short, on its thread: whether anybody had asked for a full one, and when it
  // began. Who asked for that is told after it. Set before `start`.
  using scan_told =
      std::function<void(const source_scan::result&, bool asked_for, std::chrono::system_clock::time_point)>;
  void after_scan(scan_told call) { scan_told_ = std::move(call); }

  struct work {
    bool replicate = true;  // in the background, from the first scan of the destination on
    bool rescan = true;     // again every settings.rescan, and when the source comes back
  };
  // Begins to scan both sides.
  void start(work w);
  // Ends all requests to the source, the scans and the fetches; whoever waits is told. Blocks until all have ended.
  void stop();

  index::writer& index() noexcept { return index_; }
  index::readers& readers() noexcept { return readers_; }
  // Calls `at` with a reader, or with the writer's rows while changes are held: it is not what makes them be committed.
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

  // Calls back once, on any thread, when this directory's listing is in the index, or cannot be had.
  using told = std::function<void(const std::optional<failure>&)>;
  void when_listed(inode directory, told call);
  // A scan of the source has come to its end since the start: without a listing is only what cannot be read there, and
  // what comes up later.
  bool all_listed() const noexcept { return all_listed_; }
  // Not while an index that was made anew lacks the decisions: what was deleted is not known.
  // Nor while the source is not believed.
  bool may_replicate() { return !to_replay_ && suspicion().empty(); }

  enum class pass {
    changed,  // as the periodic one: directories whose time has changed
    full,     // every directory: also finds what was overwritten in place
  };
  // A scan of both sides as soon as the running one ends; `call` gets the source's result. `believe`: what is gone from
  // the source is meant to be.
  void rescan(std::function<void(const source_scan::result&)> call, pass how = pass::full, bool believe = false);

  // Why the source is not believed, since the last scan that could tell: one line with the remedy. Empty: it is. While
  // it is not, nothing is replicated or pushed, and what readers want is asked for.
  std::string suspicion();

  struct scanning {
    bool running;
    source_scan::result result;  // of the running scan so far, or of the last one
  };
  scanning scan_state();

 private:
  void run(const std::stop_token& stop);
  source_scan::result scan(const std::stop_token& stop, bool full, bool believe);
  void begin_replication();
  void suspect(const std::string& why);
  void remember_source(const std::optional<std::uint64_t>& disk, bool empty);
  source_scan::result give_up_scan(const failure& why);
  void listed(inode directory, const std::optional<failure>& why);
  void fail_listings(const failure& why);
  void remember(const source_scan::result& r);
  bool filter_changed();

  const settings settings_;
  const destination& where_;
  const index::link_rules links_;
  index::writer index_;
  durable_changes durable_;
  index::readers readers_;
  filter filter_;
  limiter limit_;
  std::unique_ptr<archive> source_;
  fetcher fetch_;
  replicator replicate_;

  std::atomic<bool> all_listed_ = false;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  work work_;
  scan_told scan_told_;
  bool requested_ = false, full_requested_ = false, believe_ = false, came_back_ = false, ending_ = false;
  std::string suspicion_;
  bool to_repair_ = false;  // changes of the index were lost, which a scan of the destination finds again
  bool scanning_ = false;   // a scan runs or is about to: directories that were never listed may be soon
  std::vector<std::function<void(const source_scan::result&)>> requesters_;
  std::shared_ptr<source_scan> running_;
  directory_marks marks_;                // the scanner's alone
  bool looked_here_ = false;             // the same: the last scan of the destination came to its end
  std::atomic<bool> to_replay_ = false;  // the index was made anew, and the decisions are not in it yet
  source_scan::result last_;
  std::unordered_map<inode, std::vector<told>> listing_waiters_;
  std::jthread scanner_;
};

}  // namespace ferryfs::remote
