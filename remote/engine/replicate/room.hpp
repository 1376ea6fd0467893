// Room on the destination's disk for what is to be replicated.
#pragma once

#include <cstdint>
#include <string>

#include "remote/destination/destination.hpp"

namespace ferryfs::remote {

// The replicator's thread alone.
class room {
 public:
  // `min_free`: bytes to leave.
  room(const destination& where, std::uint64_t min_free) : where_(where), min_free_(min_free) {}

  // Gaps that the disk has no room for; the others are fetched meanwhile.
  struct shortage {
    std::uint64_t files = 0, bytes = 0;
  };
  enum class verdict {
    fits,
    waits,      // larger than what is free: it holds up no other
    holds_up,   // does not fit beside what is in flight, which needs its space as well
    never_fits  // larger than the whole disk
  };

  // Asks the disk.
  void measure() { free_ = where_.free_bytes(); }
  bool is_below_minimum() const noexcept { return free_ < min_free_; }
  // Whether a picture of `size` bytes fits, with `reserved` bytes in flight. Those that wait are counted.
  verdict judge(std::uint64_t size, std::uint64_t reserved);
  // The next gap does not fit beside what is in flight, since the last `start_filling`.
  bool is_full() const noexcept { return full_; }
  void start_filling() noexcept { full_ = false; }
  // Of this look at the queue.
  shortage waiting() const noexcept { return waiting_; }
  void rewind() noexcept { waiting_ = {}; }

  std::uint64_t capacity() const { return where_.capacity(); }
  // Why nothing can be replicated, with the remedy.
  std::string text_below_minimum() const;
  std::string text_of(const shortage& s) const;

 private:
  const destination& where_;
  const std::uint64_t min_free_;
  std::uint64_t free_ = 0;
  bool full_ = false;
  shortage waiting_;
};

}  // namespace ferryfs::remote
