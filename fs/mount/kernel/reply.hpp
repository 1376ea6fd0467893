// The edge to the kernel: exceptions and failures become errno here, and nowhere else.
#pragma once

#include <fuse_lowlevel.h>

#include <sys/types.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <exception>

#include "remote/source/failure.hpp"

namespace ferryfs::fs {

// Thrown inside an operation to answer with this errno.
struct answer_errno : std::exception {
  explicit answer_errno(int problem) noexcept : value(problem) {}
  const char* what() const noexcept override {
    const char* text = ::strerrordesc_np(value);
    return text != nullptr ? text : "an unknown error";
  }

  int value;
};

// The errno for a reader whose bytes cannot be had.
int errno_of(const remote::failure& f) noexcept;

// Logs what an operation threw and returns its errno.
int errno_of_current_exception() noexcept;

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
