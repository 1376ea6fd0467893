#include "remote/engine/fetch/partial_writer.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "index/base/disk.hpp"
#include "index/base/time.hpp"
#include "remote/destination/stat_facts.hpp"
#include "remote/engine/fetch/sparse.hpp"

namespace ferryfs::remote {

int partial_writer::open() {
  if (file_) return 0;
  auto file = std::make_shared<unique_fd>(where_.create_partial(row_.ino, mode_of(row_)));
  if (!*file) return errno;
  file_ = std::move(file);
  return 0;
}

int partial_writer::write(std::uint64_t offset, std::span<const std::byte> bytes) {
  if (const int problem = open()) return problem;
  extent_ = std::max({extent_, row_.source->size, offset + bytes.size()});
  if (!write_sparse(file_->get(), offset, bytes, extent_)) return errno;
  digest(offset, bytes);
  return 0;
}

// The digest is taken while the bytes pass, as long as they come from the front.
void partial_writer::digest(std::uint64_t offset, std::span<const std::byte> bytes) {
  if (offset != digested_) return;
  sum_.add(bytes);
  digested_ += bytes.size();
}

bool partial_writer::digest_rest(std::uint64_t size) {
  if (digested_ == size) return true;
  std::vector<std::byte> buffer(1U << 20);
  while (digested_ < size) {
    const ssize_t n = disk().pread(file_->get(), buffer.data(), buffer.size(), static_cast<off_t>(digested_));
    if (n <= 0) return false;
    digest(digested_, std::span(buffer).first(static_cast<std::size_t>(n)));
  }
  return true;
}

int partial_writer::complete(std::uint64_t size) {
  if (const int problem = open()) return problem;  // an empty picture
  if (extent_ > size && disk().ftruncate(file_->get(), static_cast<off_t>(size)) != 0) return errno;
  if (!digest_rest(size)) return EIO;
  sha256_ = sum_.result();
  return set_attributes(file_->get(), row_, size);
}

int partial_writer::set_attributes(int fd, const entry& wanted, std::uint64_t size) {
  if (const int problem = where_.give_owner(fd, wanted.uid, wanted.gid)) return problem;
  const std::int64_t mtime = where_.times().clamped(wanted.set_mtime.value_or(row_.source->mtime));
  const timespec when = to_timespec(mtime);
  const timespec times[] = {when, when};
  const mode_t mode = mode_of(wanted);
  const bool made_so = &wanted == &row_ && where_.makes(mode);
  if (const int problem = made_so ? 0 : where_.give_mode(fd, mode)) return problem;
  if (disk().futimens(fd, times) != 0) return errno;
  struct stat st {};
  if (disk().fstat(fd, &st) != 0) return errno;
  local_ = {S_IFREG | mode, size, mtime, holes_of(st)};
  return 0;
}

}  // namespace ferryfs::remote
