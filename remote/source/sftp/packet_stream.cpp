#include "remote/source/sftp/packet_stream.hpp"

#include <cstring>

#include "remote/source/sftp/packet.hpp"
#include "remote/source/sftp/stray_text.hpp"

namespace ferryfs::remote::sftp {

bool packet_stream::flush() {
  while (sent_ < outbox_.size()) {
    const std::size_t n = channel_.write(std::span(outbox_).subspan(sent_));
    if (n == 0) break;
    sent_ += n;
  }
  if (sent_ < outbox_.size()) {
    // During an upload the outbox is never empty: what was sent of it is erased here, once that is much.
    if (sent_ > most_unsent) {
      outbox_.erase(outbox_.begin(), outbox_.begin() + static_cast<std::ptrdiff_t>(sent_));
      sent_ = 0;
    }
    return false;
  }
  outbox_.clear();
  sent_ = 0;
  return true;
}

std::size_t packet_stream::read() {
  if (taken_ > 0) {
    std::memmove(inbox_.data(), inbox_.data() + taken_, have_ - taken_);
    have_ -= taken_;
    taken_ = 0;
  }
  if (inbox_.size() < have_ + inbox_step) inbox_.resize(have_ + inbox_step);
  const std::size_t n = channel_.read(std::span(inbox_).subspan(have_));
  have_ += n;
  return n;
}

std::optional<std::span<const std::byte>> packet_stream::next_packet() {
  constexpr std::size_t length_field = 4, shortest = 5;  // a type and an id
  const auto rest = std::span<const std::byte>(inbox_).subspan(taken_, have_ - taken_);
  if (rest.size() < length_field) return std::nullopt;
  const std::uint32_t length = parser{rest.first(length_field)}.u32();
  if (length < shortest || length > longest_packet) throw protocol_error{describe_stray_text(rest, length)};
  if (rest.size() - length_field < length) return std::nullopt;
  taken_ += length_field + length;
  return rest.subspan(length_field, length);
}

}  // namespace ferryfs::remote::sftp
