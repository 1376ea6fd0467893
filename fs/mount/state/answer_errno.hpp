// How an operation fails: exceptions and failures become errno here, and nowhere else.
#pragma once

#include <cerrno>
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

}  // namespace ferryfs::fs
