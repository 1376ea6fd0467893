#include "remote/engine/fetch/transfer_plan.hpp"

#include <algorithm>

namespace ferryfs::remote {
namespace {

constexpr std::uint64_t most_sought = 8U << 20;  // bytes requested behind all that is known

}  // namespace

transfer_plan::step transfer_plan::next(std::uint32_t at_most, std::uint64_t prefer) const {
  const std::uint64_t end = end_.value_or(size_);
  auto gap = requested_.first_gap(prefer, end);
  if (!gap) gap = requested_.first_gap(0, end);
  if (!gap) return next_beyond(at_most);
  const std::uint64_t to = std::min(gap->to, gap->from + at_most);
  const auto length = static_cast<std::uint32_t>(to - gap->from);
  // Where there is room for the byte beyond the end in the last range: a request of its own costs as much as the bytes
  // of a small picture.
  const bool beyond = !end_ && !seeks_end_ && to == end && length < at_most;
  return {next_step::more, {gap->from, length + (beyond ? 1U : 0U), beyond}, length};
}

// All that is known of was requested.
transfer_plan::step transfer_plan::next_beyond(std::uint32_t at_most) const {
  if (end_) return {next_step::done};
  if (!seeks_end_) {
    if (asked_beyond_) return {next_step::done};
    return {next_step::more, {size_, 1, true}, 0};
  }
  // As much at a time as came before: the first answer mostly shows the end.
  if (sought_ > found_ && sought_ - found_ >= std::min(found_, most_sought)) return {next_step::throttled};
  return {next_step::more, {requested_.first_gap(0, UINT64_MAX)->from, at_most, false}, at_most};
}

void transfer_plan::request(const step& s) {
  if (s.part.beyond) asked_beyond_ = true;
  if (s.bytes == 0) return;
  requested_.add(s.part.offset, s.part.offset + s.bytes);
  if (seeks_end_ && s.part.offset >= end_.value_or(size_)) sought_ += s.bytes;
}

void transfer_plan::came(std::uint64_t offset, std::uint64_t length) {
  const std::uint64_t to = offset + length;
  if (to > size_) seeks_end_ = true, found_ += to - std::max(offset, size_);
}

void transfer_plan::end_at(std::uint64_t offset) { end_ = std::min(end_.value_or(offset), offset); }

void transfer_plan::start_again() {
  requested_ = written_;
  asked_beyond_ = false;
  sought_ = found_ = 0;
}

// Where a size is reported twice, and as many bytes came with none behind them, that is the end. Else it is sought.
transfer_plan::lacks transfer_plan::still_lacks(const std::optional<std::uint64_t>& reported) const {
  if (!end_ && !seeks_end_) return lacks::nothing;
  // More came than was known. Unless the file has just grown, the reported size is wrong.
  if (!end_) return size_ > 0 && reported.value_or(0) > size_ ? lacks::nothing : lacks::end;
  if (is_confirmed(size_) || is_confirmed(reported)) return lacks::nothing;
  return lacks::size;
}

}  // namespace ferryfs::remote
