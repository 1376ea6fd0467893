#include "remote/engine/replicate/room.hpp"

#include <fmt/format.h>

#include "index/base/path.hpp"

namespace ferryfs::remote {

room::verdict room::judge(std::uint64_t size, std::uint64_t reserved) {
  if (free_ < min_free_ + size) {
    if (size > capacity()) return verdict::never_fits;
    ++waiting_.files, waiting_.bytes += size;
    return verdict::waits;
  }
  if (free_ >= min_free_ + reserved + size) return verdict::fits;
  full_ = true;
  return verdict::holds_up;
}

std::string room::text_below_minimum() const {
  return fmt::format("{}: no space: {} bytes are free and {} are to stay free (--min-free); free some space",
                     printable(where_.path()), free_, min_free_);
}

std::string room::text_of(const shortage& s) const {
  return fmt::format(
      "{}: no space for the last {} pictures, {} bytes in all: {} bytes are free and {} are to stay free (--min-free); "
      "free some space",
      printable(where_.path()), s.files, s.bytes, free_, min_free_);
}

}  // namespace ferryfs::remote
