// Writing a new file whose runs of zeros become holes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace ferryfs::remote {

// Writes `bytes` at `offset` into a file that has nothing there yet and is to be of `size` bytes in the end, and leaves
// blocks of zeros out. False, and errno set, where the disk takes no more.
bool write_sparse(int file, std::uint64_t offset, std::span<const std::byte> bytes, std::uint64_t size) noexcept;

}  // namespace ferryfs::remote
