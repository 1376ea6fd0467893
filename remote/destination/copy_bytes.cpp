#include "remote/destination/copy_bytes.hpp"
#include "index/base/disk.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <vector>

namespace ferryfs::remote {
namespace {

bool write_all(int fd, const std::byte* bytes, std::size_t size, off_t at) noexcept {
  while (size > 0) {
    const ssize_t n = disk().pwrite(fd, bytes, size, at);
    if (n <= 0) return false;
    bytes += n, size -= static_cast<std::size_t>(n), at += n;
  }
  return true;
}

// [from, to) of one file into another: by the file system, which may let both share their blocks, or through memory.
bool copy_range(int in, int out, off_t from, off_t to) {
  off_t read_at = from, write_at = from;
  while (read_at < to &&
         disk().copy_file_range(in, &read_at, out, &write_at, static_cast<std::size_t>(to - read_at)) > 0)
    ;
  std::vector<std::byte> buffer(read_at < to ? 1U << 20 : 0);
  while (read_at < to) {
    const auto size = std::min(buffer.size(), static_cast<std::size_t>(to - read_at));
    const ssize_t n = disk().pread(in, buffer.data(), size, read_at);
    if (n == 0) errno = EIO;
    if (n <= 0 || !write_all(out, buffer.data(), static_cast<std::size_t>(n), read_at)) return false;
    read_at += n;
  }
  return true;
}

}  // namespace

bool copy_bytes(int in, int out, off_t size) {
  if (disk().ftruncate(out, size) != 0) return false;
  for (off_t at = 0; at < size;) {
    const off_t data = disk().lseek(in, at, SEEK_DATA);
    if (data < 0 && errno == ENXIO) return true;
    const off_t from = data < 0 ? at : data;
    const off_t hole = data < 0 ? -1 : disk().lseek(in, from, SEEK_HOLE);
    const off_t to = hole < 0 ? size : std::min(hole, size);
    if (!copy_range(in, out, from, to)) return false;
    at = to;
  }
  return true;
}

}  // namespace ferryfs::remote
