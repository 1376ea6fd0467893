// Bytes that wait for the picture that they are to be written into. They are in memory, which has its bounds.
#pragma once

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <string>
#include <utility>

#include "fs/mount/state/answer_errno.hpp"

namespace ferryfs::fs {

class queued_bytes {
 public:
  // Throws ENOBUFS.
  explicit queued_bytes(std::string bytes) : bytes_(std::move(bytes)) {
    constexpr std::size_t most = 64U << 20;  // of all
    if ((held += bytes_.size()) <= most) return;
    held -= bytes_.size();
    throw answer_errno{ENOBUFS};
  }
  ~queued_bytes() { held -= bytes_.size(); }
  queued_bytes(const queued_bytes&) = delete;
  queued_bytes& operator=(const queued_bytes&) = delete;
  const std::string& get() const noexcept { return bytes_; }

 private:
  static inline std::atomic<std::size_t> held = 0;
  const std::string bytes_;
};

}  // namespace ferryfs::fs
