// The partial file of one picture, from its first byte on the disk to its times and mode.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "index/model/entry.hpp"
#include "remote/destination/destination.hpp"
#include "remote/files/sha256.hpp"

namespace ferryfs::remote {

// One thread at a time. Functions that return int: 0 or errno.
class partial_writer {
 public:
  // `row` outlives this.
  partial_writer(const destination& where, const entry& row) : where_(where), row_(row) {}

  // The first call makes the file.
  int write(std::uint64_t offset, std::span<const std::byte> bytes);
  // The picture has `size` bytes, and all are written: the rest of the digest, then owner, mode and times.
  int complete(std::uint64_t size);
  // Gives the file, open as `fd`, what `wanted` says of its owner, mode and times.
  int set_attributes(int fd, const entry& wanted, std::uint64_t size);
  // Lets go of the file. Nothing is written any more.
  void close() noexcept { file_.reset(); }

  // Open for reading and writing; nothing before the first byte and after `close`.
  const std::shared_ptr<unique_fd>& file() const noexcept { return file_; }
  std::uint64_t extent() const noexcept { return extent_; }  // bytes, to which the file goes on the disk
  // After `complete`.
  const std::string& sha256() const noexcept { return sha256_; }
  file_facts local_facts() const noexcept { return local_; }

 private:
  int open();
  void digest(std::uint64_t offset, std::span<const std::byte> bytes);
  bool digest_rest(std::uint64_t size);
  mode_t mode_of(const entry& wanted) const { return wanted.set_mode.value_or(row_.source->mode & 07777); }

  const destination& where_;
  const entry& row_;
  std::shared_ptr<unique_fd> file_;
  std::uint64_t extent_ = 0;
  remote::sha256 sum_;
  std::uint64_t digested_ = 0;  // bytes from the front
  std::string sha256_;
  file_facts local_;
};

}  // namespace ferryfs::remote
