// Background replication: takes gaps from the index, newest day first, and keeps as many fetches going as the archive
// can use.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "index/base/mutex.hpp"
#include "index/base/thread.hpp"
#include "index/db/reader.hpp"
#include "index/db/writer.hpp"
#include "index/model/link_rules.hpp"
#include "remote/engine/fetch/fetcher.hpp"
#include "remote/engine/replicate/entry_maker.hpp"
#include "remote/engine/replicate/gap_queue.hpp"
#include "remote/engine/replicate/room.hpp"
#include "remote/engine/replicate/standstill.hpp"
#include "remote/engine/replicate/time_difference_resolver.hpp"

namespace ferryfs::remote {

// Threads: one of its own, which looks through the queue and enters what digests decided; fetches end on the executor
// "answers", which calls `on_end`. Public functions: any thread.
class replicator {
 public:
  struct dependencies {
    const destination& where;
    archive& source;
    index::writer& index;
    index::readers& readers;
    fetcher& fetch;
    index::link_rules links = {};
  };
  // Starts paused; `min_free`: bytes to leave on the destination's disk.
  replicator(dependencies d, std::uint64_t min_free);
  ~replicator();
  // Starts nothing more. Blocks until its thread has ended; what is in flight must end before this does.
  void stop();

  void pause();
  void resume();
  bool paused() const noexcept { return paused_; }
  // Gaps may have come, or the source came back.
  void recheck();
  // Asks for a call, on its own thread, as soon as nothing is left that could be fetched now.
  void when_idle(std::function<void()> call);
  // Why it is blocked, if the destination's disk is the reason.
  std::string blocked_by();
  // Gaps that the disk has no room for, as the last look at the queue found them.
  room::shortage waiting();

 private:
  void run(const std::stop_token& stop);
  void work(const std::stop_token& stop);
  void stand_still(const std::string& why, const std::stop_token& stop);
  static void call_all(const std::vector<std::function<void()>>& calls);
  void block(std::string why) REQUIRES(mutex_);
  void end_look() REQUIRES(mutex_);
  void rewind();
  bool fill();
  bool try_start(const entry& gap);
  bool start(const entry& gap);
  bool begin(const entry& gap, const std::string& path);
  bool ask_for_digest(const entry& gap, const std::string& path);
  void apply_digests();
  void fail(inode ino, std::string why);
  void on_end(inode ino, const std::optional<failure>& why);
  bool has_space();
  void idle();

  const dependencies dependencies_;
  std::atomic<bool> paused_ = true;
  // The thread's own, as the next two.
  gap_queue queue_;
  room room_;
  std::unordered_set<inode> postponed_;  // whose digest decided nothing; until the next look but one
  bool seen_young_ = false;              // a gap that may still be written on the source, in this look at the queue
  entry_maker entry_maker_;
  time_difference_resolver time_differences_;

  mutex mutex_{lock_level::leaf};
  condition wake_;
  std::unordered_set<inode> in_flight_ GUARDED_BY(mutex_);
  struct digested {
    entry gap;
    std::optional<failure> why;
    bool same;  // the source's bytes are those that are here
  };
  std::vector<digested> digested_ GUARDED_BY(mutex_);  // in flight until that is applied
  bool again_ GUARDED_BY(mutex_) = true;
  bool low_ GUARDED_BY(mutex_) = false;        // few fetches are in flight: there is room for more
  room::shortage waiting_ GUARDED_BY(mutex_);  // of the last look at the queue
  standstill standstill_ GUARDED_BY(mutex_);
  std::vector<std::function<void()>> idle_calls_ GUARDED_BY(mutex_);
  thread thread_;
};

}  // namespace ferryfs::remote
