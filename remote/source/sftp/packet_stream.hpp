// Packets over a channel: requests are appended to the outbox and sent when the channel takes them, replies are cut
// out of the inbox where they lie. Belongs to one thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "remote/source/ssh/channel.hpp"

namespace ferryfs::remote::sftp {

class packet_stream {
 public:
  explicit packet_stream(ssh::channel channel) : channel_(std::move(channel)) {}

  std::vector<std::byte>& outbox() noexcept { return outbox_; }
  std::size_t unsent() const noexcept { return outbox_.size() - sent_; }
  bool has_room() const noexcept { return unsent() < most_unsent; }
  // Sends what the channel takes; true: all of it. Never blocks.
  bool flush();

  // Reads what has come, at most inbox_step bytes; 0: nothing. Never blocks.
  std::size_t read();
  // The next whole packet that was read, without its length field; it lies in the inbox until the next `read`. Throws
  // `protocol_error` where its length can't be one.
  std::optional<std::span<const std::byte>> next_packet();

  // As of the channel.
  bool write_pending() const noexcept { return channel_.write_pending(); }
  bool read_pending() const noexcept { return channel_.read_pending(); }
  void wait(int wake, std::chrono::milliseconds at_most) { channel_.wait(wake, at_most); }

 private:
  static constexpr std::size_t most_unsent = 256U << 10;
  static constexpr std::size_t inbox_step = 512U << 10;

  ssh::channel channel_;
  std::vector<std::byte> outbox_, inbox_;
  std::size_t sent_ = 0;              // bytes of the outbox
  std::size_t taken_ = 0, have_ = 0;  // bytes of the inbox: handed out as packets; read
};

}  // namespace ferryfs::remote::sftp
