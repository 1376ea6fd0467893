// Bytes of the files of the disk in memory, read and written.
#include "tests/simulation/memory_disk/node.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace ferryfs::test {

ssize_t memory_disk::read(int fd, void* to, std::size_t size) {
  auto* const d = of(fd);
  if (d == nullptr) return -1;
  const auto n = pread(fd, to, size, *d->at);
  if (n > 0) *d->at += n;
  return n;
}

ssize_t memory_disk::pread(int fd, void* to, std::size_t size, off_t at) {
  if (refuses("pread")) return -1;
  auto* const d = of(fd);
  if (d == nullptr) return -1;
  if (S_ISDIR(d->of->mode)) return fail(EISDIR);
  const auto& data = d->of->data;
  if (at >= static_cast<off_t>(data.size())) return 0;
  const auto n = std::min(size, data.size() - static_cast<std::size_t>(at));
  std::memcpy(to, data.data() + at, n);
  return static_cast<ssize_t>(n);
}

ssize_t memory_disk::pwrite(int fd, const void* from, std::size_t size, off_t at) {
  if (refuses("pwrite")) return -1;
  auto* const d = of(fd);
  if (d == nullptr) return -1;
  if ((d->flags & O_ACCMODE) == O_RDONLY) return fail(EBADF);
  auto& data = d->of->data;
  const auto end = static_cast<std::size_t>(at) + size;
  if (end > data.size() && !has_room(end - data.size())) return fail(ENOSPC);
  if (end > data.size()) data.resize(end);
  std::memcpy(data.data() + at, from, size);
  touch(*d->of);
  return static_cast<ssize_t>(size);
}

int memory_disk::ftruncate(int fd, off_t size) {
  if (refuses("ftruncate")) return -1;
  auto* const d = of(fd);
  if (d == nullptr) return -1;
  const auto to = static_cast<std::size_t>(size);
  // A hole takes no room on a real disk; here it does, so that what is written into it later always fits.
  if (to > d->of->data.size() && !has_room(to - d->of->data.size())) return fail(ENOSPC);
  d->of->data.resize(to);
  touch(*d->of);
  return 0;
}

int memory_disk::fallocate(int fd, int mode, off_t at, off_t size) {
  if (refuses("fallocate")) return -1;
  if (of(fd) == nullptr) return -1;
  if (mode == FALLOC_FL_KEEP_SIZE) return has_room(static_cast<std::uint64_t>(size)) ? 0 : fail(ENOSPC);
  if (mode != 0) return fail(EOPNOTSUPP);
  auto& data = of(fd)->of->data;
  return at + size > static_cast<off_t>(data.size()) ? ftruncate(fd, at + size) : 0;
}

ssize_t memory_disk::copy_file_range(int from, off_t* from_at, int to, off_t* to_at, std::size_t size) {
  std::string bytes(size, '\0');
  const auto n = pread(from, bytes.data(), size, *from_at);
  if (n <= 0) return n;
  const auto written = pwrite(to, bytes.data(), static_cast<std::size_t>(n), *to_at);
  if (written > 0) *from_at += written, *to_at += written;
  return written;
}

off_t memory_disk::lseek(int fd, off_t at, int whence) {
  if (refuses("lseek")) return -1;
  auto* const d = of(fd);
  if (d == nullptr) return -1;
  const auto size = static_cast<off_t>(d->of->data.size());
  switch (whence) {
    case SEEK_SET:
      return *d->at = at;
    case SEEK_CUR:
      return *d->at += at;
    case SEEK_END:
      return *d->at = size + at;
    case SEEK_DATA:
      return at >= size ? fail(ENXIO) : at;
    case SEEK_HOLE:
      return at >= size ? fail(ENXIO) : size;
    default:
      return fail(EINVAL);
  }
}

int memory_disk::posix_fadvise(int, off_t, off_t, int) { return 0; }
int memory_disk::sync_file_range(int, off_t, off_t, unsigned) { return 0; }
int memory_disk::set_lease(int, int) { return fail(EINVAL); }

}  // namespace ferryfs::test
