// Decisions survive a power cut some seconds later. A job of the index promises it (index::transaction::promise);
// within the next seconds, on an executor of its own: the index is synced, then the destination where names in it were
// changed, then the lines of the decisions are added to their file, which is synced too. An fsync through the mount
// does not wait for that: the index alone is made durable for it, and a rename that the disk loses is made again at the
// next start.
#pragma once

#include <atomic>
#include <chrono>

#include "index/base/serial_executor.hpp"
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
  // Syncs once more, where anything is left.
  ~durable_changes();
  durable_changes(const durable_changes&) = delete;
  durable_changes& operator=(const durable_changes&) = delete;

  // To be called when renames that a crash cut off were recovered. An index that is older than the file of decisions,
  // or whose file is gone, gives it its lines. Throws what the index throws.
  void start();
  // Makes all promises durable on the calling thread, also those of the last seconds, and none later. Throws
  // std::system_error, or what the index throws.
  void finish();

 private:
  void begin_wait();
  void end();
  void try_to_sync();
  void sync();
  void add_lines();

  const destination& where_;
  index::writer& index_;
  std::atomic<bool> promised_ = false;  // something is to be synced
  enum class phase { before, running, ended };
  std::atomic<phase> phase_ = phase::before;
  serial_executor syncs_{"durability"};
};

}  // namespace ferryfs::remote
