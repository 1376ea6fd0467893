// Reads of pictures that the destination's disk has no room for: each range comes from the source into memory, and is
// kept nowhere. The source's size and time are looked at behind it, as with any fetch.
//
// Threads: any. Callbacks run on the archive's threads or the index writer's, under no lock.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "index/db/writer.hpp"
#include "remote/destination/destination.hpp"
#include "remote/engine/fetch/outcome.hpp"
#include "remote/source/archive.hpp"

namespace ferryfs::remote {

class unkept_reads {
 public:
  unkept_reads(const destination& where, archive& source, index::writer& index)
      : where_(where), source_(source), index_(index) {}

  // Calls `w` once, on any thread, possibly before this returns: with the bytes [offset, offset + length) of `e`, as
  // far as it has them, or with why they can't be had. While others' bytes fill the memory there is for them, it waits.
  void read(const entry& e, std::string path, std::uint64_t offset, std::uint64_t length, std::uint64_t id, waiter w);
  // Nobody waits for `id` any more.
  void forget(std::uint64_t id);
  // When the last byte of those of `ino` came.
  std::chrono::steady_clock::time_point heard(inode ino);
  // Blocks until none is on its way.
  void drain();

  std::uint64_t reads() const noexcept { return reads_; }  // since the start
  std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  class one;
  void start_some();
  void ended(const std::shared_ptr<one>& r, const std::optional<failure>& why, const attributes& after);
  void over(const std::shared_ptr<one>& r, const outcome& o);

  const destination& where_;
  archive& source_;
  index::writer& index_;
  std::mutex mutex_;
  std::condition_variable empty_;
  std::unordered_map<std::uint64_t, std::shared_ptr<one>> all_;
  std::deque<std::shared_ptr<one>> waiting_;
  std::uint64_t held_ = 0;  // bytes of those that were started
  std::atomic<std::uint64_t> reads_ = 0, bytes_ = 0;
};

}  // namespace ferryfs::remote
