// The edge to the kernel.
#pragma once

#include <fuse_lowlevel.h>

#include <sys/types.h>

#include <cstddef>

#include "fs/mount/state/answer_errno.hpp"

namespace ferryfs::fs {

// Answers a read by `size` bytes of a file at `offset`, which the kernel takes from it where it can.
void reply_from(fuse_req_t req, int fd, std::size_t size, off_t offset);

// Runs one operation; whatever it throws is answered. The operation must not have replied before it throws.
template <typename Operation>
void answer(fuse_req_t req, Operation&& operation) {
  try {
    operation();
  } catch (...) {
    fuse_reply_err(req, errno_of_current_exception());
  }
}

}  // namespace ferryfs::fs
