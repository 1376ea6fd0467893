// Which bytes of a picture are to be requested next, which have come, and where it ends. Pure arithmetic; the caller
// locks.
#pragma once

#include <cstdint>
#include <optional>

#include "remote/engine/fetch/ranges.hpp"
#include "remote/source/archive.hpp"

namespace ferryfs::remote {

class transfer_plan {
 public:
  // `size`: as the index knows it; 0: not known.
  explicit transfer_plan(std::uint64_t size) : size_(size), seeks_end_(size == 0) {}

  struct step {
    next_step what;
    range part{};             // for `more`
    std::uint32_t bytes = 0;  // of the picture in `part`; 0: only what is behind all that is known
  };
  // The next range to request, at most `at_most` bytes, from `prefer` on if something is missing there. Changes
  // nothing.
  step next(std::uint32_t at_most, std::uint64_t prefer) const;
  // The step is taken: its part is requested.
  void request(const step& s);
  // Bytes came: the picture may be larger than was known.
  void came(std::uint64_t offset, std::uint64_t length);
  // The source has no byte at `offset`.
  void end_at(std::uint64_t offset);
  // Bytes stand on the disk.
  void wrote(std::uint64_t offset, std::uint64_t length) { written_.add(offset, offset + length); }
  // All that is not on the disk is to be requested again.
  void start_again();

  // Where the source said that the picture ends.
  const std::optional<std::uint64_t>& end() const noexcept { return end_; }
  // To where it goes, as far as that is known; else UINT64_MAX.
  std::uint64_t known_end() const noexcept { return end_ ? *end_ : seeks_end_ ? UINT64_MAX : size_; }
  bool is_written(std::uint64_t from, std::uint64_t to) const { return written_.covers(from, to); }
  bool is_whole() const { return known_end() != UINT64_MAX && written_.covers(0, known_end()); }

  // When the archive has answered all that was asked: what is still to be done.
  enum class lacks {
    nothing,
    end,  // it is to be read on, to its end
    size  // nobody has reported the size that its bytes have: the source is to be looked at
  };
  // `reported`: the size that the archive reported after the last byte.
  lacks still_lacks(const std::optional<std::uint64_t>& reported) const;
  // `reported` is the number of bytes that came. A 0 is no word of a size, unless there is no other. After the end is
  // known.
  bool is_confirmed(const std::optional<std::uint64_t>& reported) const {
    return reported && *reported == *end_ && (*reported != 0 || size_ == 0);
  }

 private:
  step next_beyond(std::uint32_t at_most) const;

  const std::uint64_t size_;
  ranges requested_, written_;
  // Reading to its end: where the size is not known, or not right, a few ranges at a time beyond what is known; else
  // one byte more than the size is asked for, which is not to come.
  bool seeks_end_, asked_beyond_ = false;
  std::optional<std::uint64_t> end_;  // as the archive reported it
  std::uint64_t sought_ = 0;          // bytes beyond all that is known that were requested
  std::uint64_t found_ = 0;           // of them, came
};

}  // namespace ferryfs::remote
