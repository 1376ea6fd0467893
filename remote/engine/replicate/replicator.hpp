// Background replication: takes gaps from the index, newest day first, and keeps as many fetches going as the archive
// can use. The queue is a query; nothing but what is on its way is held in memory.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_set>

#include "index/db/reader.hpp"
#include "index/db/writer.hpp"
#include "index/model/link_rules.hpp"
#include "remote/engine/fetch/fetcher.hpp"
#include "remote/engine/replicate/other_times.hpp"

namespace ferryfs::remote {

class replicator {
 public:
  struct services {
    const destination& where;
    archive& source;
    index::writer& index;
    index::readers& readers;
    fetcher& fetch;
    index::link_rules links = {};
  };
  // Starts paused; `min_free`: bytes to leave on the destination's disk.
  replicator(services s, std::uint64_t min_free);
  ~replicator();
  // Starts nothing more. Blocks until its thread has ended; what is on its way must end before this does.
  void stop();

  void pause();
  void resume();
  bool paused() const noexcept { return paused_; }
  // Gaps may have come, or the source came back.
  void look_again();
  // Asks for a call, on its own thread, as soon as nothing is left that could be fetched now.
  void when_idle(std::function<void()> call);
  // Why it stands still, if the destination's disk is the reason.
  std::string blocked_by();
  // Gaps that the disk has no room for, as the last look at the queue found them; the others are fetched meanwhile.
  struct waiting_for_room {
    std::uint64_t files = 0, bytes = 0;
  };
  waiting_for_room waiting();

 private:
  void run(const std::stop_token& stop);
  void stand_still(const std::string& why, const std::stop_token& stop);
  static void call_all(const std::vector<std::function<void()>>& calls);
  void work(const std::stop_token& stop);
  void block(std::string why);
  void wait_for_room();
  void fail(inode ino, std::string why);
  void rewind();
  bool fill();
  bool try_start(const entry& gap);
  bool start(const entry& gap);
  bool decide_time(const entry& gap, const std::string& path);
  void make_here(const entry& found);
  int make_directory_here(const std::string& path);
  int make_link_here(const std::string& path, const entry& gap);
  bool is_refused(const entry& gap);
  std::string path_of(index::reader& r, const entry& e);
  void landed(inode ino, const std::optional<failure>& why);
  bool has_space();
  void finish_directories();
  void idle();

  services services_;
  const std::uint64_t min_free_;
  std::atomic<bool> paused_ = true;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::unordered_set<inode> on_the_way_;
  bool again_ = true;
  bool slack_ = false;               // there is room for more fetches
  std::uint64_t free_ = 0;           // on the destination, at the last look
  bool full_ = false;                // the next gap does not fit beside what is on its way
  waiting_for_room waits_, waited_;  // of this look at the queue, and of the last
  std::string blocked_;
  std::chrono::steady_clock::time_point blocked_since_;
  std::atomic<bool> unfinished_ = true;  // something came since directories last got their times
  std::vector<std::function<void()>> idle_calls_;
  // The thread's own: where in the queue it is, and the path of the last directory.
  std::int32_t day_ = 99999999;
  inode ino_ = 0;
  inode parent_ = 0;
  std::string parent_path_;
  bool unsettled_ = false;
  other_times other_times_;
  std::jthread thread_;
};

}  // namespace ferryfs::remote
