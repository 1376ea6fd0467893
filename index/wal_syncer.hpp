// Makes commits survive a power cut. With synchronous=NORMAL a commit is in the write-ahead log (WAL), and SQLite syncs
// that only before a checkpoint; here it is synced a moment after a commit, on a thread of its own, and at once for a
// caller that waits for it. Without commits that thread sleeps.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "index/entry.hpp"
#include "remote/unique_fd.hpp"

namespace ferryfs::index {

class wal_syncer {
 public:
  // `wal` is the path of the log, which need not exist yet. A commit is synced when it is `longest` old.
  wal_syncer(std::string wal, std::chrono::milliseconds longest);
  // Syncs what is left.
  ~wal_syncer();
  wal_syncer(const wal_syncer&) = delete;
  wal_syncer& operator=(const wal_syncer&) = delete;

  // Called before each sync of the log, on the thread that syncs: makes durable what the disk did before the index was
  // told of it. Throws where it can't, and then the log is not synced. Set before the first commit.
  void before_sync(std::function<void()> call) { before_ = std::move(call); }

  // Something was committed, and `concerned` are the inodes that a caller of sync(inode) waits for. Never blocks for
  // the disk. One thread at a time.
  void committed(const std::vector<inode>& concerned);

  // All that was committed before is durable when this returns; nothing is done where it is. Throws std::system_error.
  // Any thread, without the writer's turn.
  void sync();
  // The same where a commit that concerned `ino` is not durable yet.
  void sync(inode ino);
  // Of the log alone, without what before_sync does.
  void sync_log();

 private:
  static constexpr std::size_t most_concerned = 4096;  // more are not told apart
  void run(const std::stop_token& stop);
  void sync_log_file();

  const std::string path_;
  const std::chrono::milliseconds longest_;
  std::function<void()> before_;
  std::mutex syncing_;  // taken before mutex_; one sync at a time, which also serves those who wait for it
  unique_fd file_;      // guarded by syncing_
  std::mutex mutex_;    // of what follows
  std::condition_variable_any wake_;
  std::uint64_t committed_ = 0, durable_ = 0;  // commits, counted
  std::unordered_map<inode, std::uint64_t> concerned_;  // by which commit, where that is not durable
  std::uint64_t all_concerned_ = 0;  // up to this commit, any inode may be concerned
  std::jthread thread_;
};

}  // namespace ferryfs::index
