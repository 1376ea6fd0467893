// Scans both sides of an archive, again and again, on a thread of its own: the source answers while the destination is
// walked.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "index/base/mutex.hpp"
#include "index/base/promise.hpp"
#include "index/base/thread.hpp"
#include "index/db/reader.hpp"
#include "index/db/writer.hpp"
#include "index/model/link_rules.hpp"
#include "remote/destination/destination.hpp"
#include "remote/engine/migration/listing_waiters.hpp"
#include "remote/engine/migration/scan_memory.hpp"
#include "remote/engine/migration/scan_schedule.hpp"
#include "remote/engine/scan/directory_cache.hpp"
#include "remote/engine/scan/source_scan.hpp"
#include "remote/source/archive.hpp"
#include "remote/source/filter.hpp"

namespace ferryfs::remote {

class scanner {
 public:
  // All outlive this. The functions run on the scanner's thread.
  struct dependencies {
    const destination& where;
    archive& source;
    index::writer& index;
    index::readers& readers;
    const filter& excluded;
    const index::link_rules& links;
    serial_executor& answers;                    // calls those that wait for a listing
    unsigned believe_loss;                       // percent
    std::function<void()> on_destination_known;  // the index knows what lies on the destination
    std::function<void()> on_suspicion;          // the source is not believed any more, or for another reason
    std::function<void()> on_scan_end;           // gaps may have come
  };
  explicit scanner(dependencies d);

  // Called after each scan that was not cut short, on the scanner's thread: whether a caller had asked for a full one,
  // and when it began. The callers that had are called after it. Set before `start`.
  using scan_callback =
      std::function<void(const source_scan::result&, bool asked_for, std::chrono::system_clock::time_point)>;
  void on_scanned(scan_callback call) { on_scanned_ = std::move(call); }

  // Reads what an earlier process has left. Before `start`, when what a crash cut off was mended. Throws what the index
  // throws.
  void restore();

  // `period`: between scans without a request; none: on request only.
  void start(std::optional<std::chrono::seconds> period);
  // Ends the running scan early, and begins no other.
  void cancel();
  // Blocks until the thread has ended, which it does once the source has ended its requests.
  void join();

  // Any thread.
  void request(scan_schedule::callback call, scan_schedule::pass how, bool believe);
  void request_repair();
  void set_source_back();
  // Calls back once, by `answers` or before this returns, when this directory's listing is in the index, or cannot be
  // had.
  void when_listed(inode directory, listing_waiters::callback call);
  // A scan of the source has come to its end since the start.
  bool all_listed() const noexcept { return all_listed_; }
  // The index was made anew, and the decisions are not in it yet: deleted pictures look like gaps.
  bool lacks_decisions() const noexcept { return lacks_decisions_; }

  // Why the source is not believed, since the last scan that could tell: one line with the remedy. Empty: it is.
  std::string suspicion();

  struct state {
    bool running;
    source_scan::result result;  // of the running scan so far, or of the last one
  };
  state now();

 private:
  void run(const std::stop_token& stop);
  scan_schedule::order begin();
  void pause(const scan_schedule::order& o, const std::stop_token& stop);
  void report(const scan_schedule::order& o, const source_scan::result& r, std::chrono::system_clock::time_point begun);
  source_scan::result scan(const std::stop_token& stop, const scan_schedule::order& o);
  using scan_answer = std::shared_ptr<promise<source_scan::result>>;
  scan_answer start_source_scan(const scan_schedule::order& o, bool another_disk);
  std::optional<failure> scan_here(const std::stop_token& stop, bool full, const scan_answer& source);
  void close_listings(const source_scan::result& r);
  source_scan::result give_up(const failure& why);
  void set_suspicion(const std::string& why);
  void remember(const source_scan::result& r);

  const dependencies needs_;
  scan_memory memory_;
  scan_callback on_scanned_;
  listing_waiters listing_waiters_;
  std::atomic<bool> all_listed_ = false;
  std::atomic<bool> lacks_decisions_ = false;
  // The thread's own.
  directory_cache cache_;
  bool saw_destination_ = false;  // the last scan of the destination came to its end

  mutex mutex_{lock_level::scanner};
  condition wake_;
  scan_schedule schedule_ GUARDED_BY(mutex_);
  bool ending_ GUARDED_BY(mutex_) = false;
  std::shared_ptr<source_scan> running_ GUARDED_BY(mutex_);
  source_scan::result last_ GUARDED_BY(mutex_);
  std::string suspicion_ GUARDED_BY(mutex_);
  thread thread_;
};

}  // namespace ferryfs::remote
