// What is decided survives a power cut soon. A job of the index promises it (index::transaction::promise); within the
// next seconds, on a thread of its own: the index is synced, then the destination where names in it were changed, then
// the lines of the decisions are added to their file, which is synced too. Whoever syncs a file or directory through
// the mount does not wait for that: the index alone is made durable for him, and what the disk loses is made again at
// the next start.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "index/db/writer.hpp"
#include "remote/destination/destination.hpp"

namespace ferryfs::remote {

// In the index's meta: how long the file of decisions is, with the lines that the index knows to be in it.
inline constexpr const char* decisions_length_key = "decisions_length";

class durable_changes {
 public:
  // From a promise to when its syncing begins.
  static constexpr std::chrono::seconds longest{2};

  // Both outlive this. Made and ended while no other thread uses the index. Does nothing by itself before start().
  durable_changes(const destination& where, index::writer& index);
  // Once more, where anything is left.
  ~durable_changes();
  durable_changes(const durable_changes&) = delete;
  durable_changes& operator=(const durable_changes&) = delete;

  // When what a crash cut off was settled. An index that is older than the file of decisions, or whose file is gone,
  // gives it its lines. Throws what the index throws.
  void start();
  // At once. Throws std::system_error, or what the index throws.
  void now();

 private:
  void run(const std::stop_token& stop);
  void add_lines();

  const destination& where_;
  index::writer& index_;
  std::mutex one_;  // syncs
  std::mutex mutex_;
  std::condition_variable_any wake_;
  bool promised_ = false;
  std::jthread thread_;
};

}  // namespace ferryfs::remote
