// Bytes on their way: a ring that hands each out no earlier than it is due.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

namespace ferryfs::test {

// One direction of one connection. Reads from one socket, writes to another, both non-blocking; never holds more than
// its capacity. For one thread.
class delay_line {
 public:
  using clock = std::chrono::steady_clock;

  explicit delay_line(std::size_t capacity);

  bool full() const { return held() == capacity_; }
  bool empty() const { return held() == 0; }
  std::size_t held() const { return static_cast<std::size_t>(tail_ - head_); }
  // The time from which write_to has something to write.
  std::optional<clock::time_point> next_due() const;

  // Reads once, at most `most` bytes and what there is room for; like recv, with errno.
  std::ptrdiff_t read_from(int fd, std::size_t most);
  // Says when the bytes of the last read are due. Order is kept whatever is said.
  void stamp(std::size_t count, clock::time_point due);
  // Writes once what is due by `now`; like send, with errno.
  std::ptrdiff_t write_to(int fd, clock::time_point now);

 private:
  struct mark {
    std::uint64_t end;
    clock::time_point due;
  };

  // Offsets count all bytes ever; the place in the ring is the offset less `base_`, modulo the capacity.
  std::size_t capacity_;
  std::unique_ptr<std::byte[]> ring_;
  std::uint64_t base_ = 0;
  std::uint64_t head_ = 0;
  std::uint64_t tail_ = 0;
  std::uint64_t ready_ = 0;  // the end of what is due
  std::deque<mark> marks_;
};

}  // namespace ferryfs::test
