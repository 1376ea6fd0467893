#include "remote/engine/fetch/sparse.hpp"
#include "index/base/disk.hpp"

#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace ferryfs::remote {
namespace {

constexpr std::uint64_t block = 4096;  // what file systems allocate by

bool is_zero(std::span<const std::byte> part) noexcept {
  return part.front() == std::byte{0} && std::memcmp(part.data(), part.data() + 1, part.size() - 1) == 0;
}

bool write_all(int file, std::uint64_t offset, std::span<const std::byte> bytes) noexcept {
  while (!bytes.empty()) {
    const ssize_t n = disk().pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0) return false;
    offset += static_cast<std::uint64_t>(n);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace

bool write_sparse(int file, std::uint64_t offset, std::span<const std::byte> bytes, std::uint64_t size) noexcept {
  std::size_t done = 0;
  bool sized = false;
  for (std::size_t at = 0; at < bytes.size();) {
    // Blocks of the file: one that is split between two answers is looked at in its parts.
    const auto length = static_cast<std::size_t>(std::min(block - (offset + at) % block, bytes.size() - at));
    if (!is_zero(bytes.subspan(at, length))) {
      at += length;
      continue;
    }
    if (!write_all(file, offset + done, bytes.subspan(done, at - done))) return false;
    at += length;
    done = at;
    // Readers of the file find zeros there at once, and not its end.
    if (!std::exchange(sized, true) && disk().ftruncate(file, static_cast<off_t>(size)) != 0) return false;
  }
  return write_all(file, offset + done, bytes.subspan(done));
}

}  // namespace ferryfs::remote
