// Reads of pictures that the destination's disk has no room for: each range comes from the source into memory, and is
// kept nowhere. The source's size and time are looked at behind it, as with any fetch.
//
// Threads: any. Callbacks run on the archive's threads or the index writer's, under no lock.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>

#include "index/base/mutex.hpp"
#include "index/db/writer.hpp"
#include "remote/destination/destination.hpp"
#include "remote/engine/fetch/read_result.hpp"
#include "remote/source/archive.hpp"

namespace ferryfs::remote {

class direct_reads {
 public:
  direct_reads(const destination& where, archive& source, index::writer& index)
      : where_(where), source_(source), index_(index) {}

  // Calls `call` once, on any thread, possibly before this returns: with the bytes [offset, offset + length) of `e`, as
  // far as it has them, or with why they can't be had. It waits while the bytes of others fill the memory there is.
  void read(const entry& e, std::string path, std::uint64_t offset, std::uint64_t length, std::uint64_t id,
            read_callback call);
  // The callback of `id` is not called any more, unless it is about to be.
  void cancel(std::uint64_t id);
  // When the last byte of the reads of `ino` came.
  std::chrono::steady_clock::time_point last_activity(inode ino);
  // Blocks until none is in flight.
  void drain();

  std::uint64_t count() const noexcept { return count_; }  // since the start, as the next
  std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  class range_read;
  void start_some();
  void on_transfer_end(const std::shared_ptr<range_read>& r, const std::optional<failure>& why,
                       const attributes& after);
  void end(const std::shared_ptr<range_read>& r, const read_result& result);

  const destination& where_;
  archive& source_;
  index::writer& index_;
  mutex mutex_{lock_level::leaf};
  condition empty_;
  struct pending_read {
    std::shared_ptr<range_read> transfer;
    read_callback call;
  };
  std::unordered_map<std::uint64_t, pending_read> all_ GUARDED_BY(mutex_);
  std::deque<std::shared_ptr<range_read>> waiting_ GUARDED_BY(mutex_);
  std::uint64_t bytes_in_memory_ GUARDED_BY(mutex_) = 0;  // of those that were started
  std::atomic<std::uint64_t> count_ = 0, bytes_ = 0;
};

}  // namespace ferryfs::remote
