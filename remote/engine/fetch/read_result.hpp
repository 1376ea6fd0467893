// How a read of a picture's bytes ends, and how a fetch of all of it does.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "remote/files/unique_fd.hpp"
#include "remote/source/failure.hpp"

namespace ferryfs::remote {

// The bytes can be read from the partial file at their offset.
struct partial_read {
  std::shared_ptr<const unique_fd> file;
  bool whole;          // the rest of the picture can be read from it as well
  std::uint64_t size;  // of the picture
  // Set when the fetch fails after all: from then on nobody is to read from the file, whose bytes may be of two
  // pictures.
  std::shared_ptr<const std::atomic<bool>> rejected;
};
// The bytes themselves, fewer only at the picture's end; they are kept nowhere.
struct direct_read {
  std::vector<std::byte> bytes;
  std::uint64_t size;  // of the picture
};
// The picture has become local, and is to be opened in the destination.
struct local_read {};

using read_result = std::variant<partial_read, direct_read, local_read, failure>;
using read_callback = std::function<void(const read_result&)>;
// Called with nothing when the picture is local, or with why it is not.
using fetch_callback = std::function<void(const std::optional<failure>&)>;

}  // namespace ferryfs::remote
