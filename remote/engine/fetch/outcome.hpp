// How a wait for bytes of a picture ends.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <variant>
#include <vector>

#include "remote/files/unique_fd.hpp"
#include "remote/source/failure.hpp"

namespace ferryfs::remote {

// They can be read from `file` at their offset.
struct bytes_ready {
  std::shared_ptr<const unique_fd> file;
  bool whole;          // the rest of the picture can be read from it as well
  std::uint64_t size;  // of the picture
  // Set when the fetch fails after all: from then on nobody is to read from the file, whose bytes may be of two
  // pictures.
  std::shared_ptr<const std::atomic<bool>> rejected;
};
// These are they, fewer only at the picture's end; they are kept nowhere.
struct bytes_unkept {
  std::vector<std::byte> bytes;
  std::uint64_t size;  // of the picture
};
// The picture has become local, and is to be opened in the destination.
struct now_local {};

using outcome = std::variant<bytes_ready, bytes_unkept, now_local, failure>;
using waiter = std::function<void(const outcome&)>;

}  // namespace ferryfs::remote
