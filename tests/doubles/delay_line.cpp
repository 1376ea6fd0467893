#include "tests/doubles/delay_line.hpp"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>

namespace ferryfs::test {
namespace {

// A stretch of the ring is one piece, or two where it goes round the end.
struct stretch {
  std::array<iovec, 2> pieces;
  msghdr message{};

  stretch(std::byte* ring, std::size_t capacity, std::size_t at, std::size_t count) {
    const auto first = std::min(count, capacity - at);
    pieces = {iovec{ring + at, first}, iovec{ring, count - first}};
    message.msg_iov = pieces.data();
    message.msg_iovlen = first < count ? 2 : 1;
  }
};

}  // namespace

delay_line::delay_line(std::size_t capacity)
    : capacity_(capacity), ring_(std::make_unique_for_overwrite<std::byte[]>(capacity)) {}

std::optional<delay_line::clock::time_point> delay_line::next_due() const {
  if (ready_ > head_) return clock::time_point::min();
  if (marks_.empty()) return std::nullopt;
  return marks_.front().due;
}

std::ptrdiff_t delay_line::read_from(int fd, std::size_t most) {
  if (empty()) base_ = tail_;  // from the start again: the part that is warm in the cache
  stretch room(ring_.get(), capacity_, (tail_ - base_) % capacity_, std::min(most, capacity_ - held()));
  return ::recvmsg(fd, &room.message, MSG_DONTWAIT);
}

void delay_line::stamp(std::size_t count, clock::time_point due) {
  tail_ += count;
  marks_.push_back({tail_, due});
}

std::ptrdiff_t delay_line::write_to(int fd, clock::time_point now) {
  for (; !marks_.empty() && marks_.front().due <= now; marks_.pop_front()) ready_ = marks_.front().end;
  if (ready_ <= head_) return 0;
  stretch due(ring_.get(), capacity_, (head_ - base_) % capacity_, ready_ - head_);
  const auto count = ::sendmsg(fd, &due.message, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (count > 0) head_ += static_cast<std::uint64_t>(count);
  return count;
}

}  // namespace ferryfs::test
