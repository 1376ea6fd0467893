// One answer that a thread waits for and another gives.
#pragma once

#include <chrono>
#include <exception>
#include <optional>
#include <utility>

#include "index/base/mutex.hpp"

namespace ferryfs {

// As std::promise and its future in one, which both sides share: std::shared_ptr<promise<T>>. Threads: any.
template <typename T>
class promise {
 public:
  // One of these, once.
  void set_value(T value) {
    const lock held{mutex_};
    value_.emplace(std::move(value));
    given_.notify_all();
  }
  void set_exception(std::exception_ptr thrown) {
    const lock held{mutex_};
    thrown_ = std::move(thrown);
    given_.notify_all();
  }

  // Blocks until there is an answer: a copy of it, or what was thrown.
  T get() {
    lock held{mutex_};
    given_.wait(held, [&]() REQUIRES(mutex_) { return value_ || thrown_; });
    if (thrown_) std::rethrow_exception(thrown_);
    return *value_;
  }
  // True: there is an answer.
  bool wait_for(std::chrono::nanoseconds time) {
    lock held{mutex_};
    return given_.wait_for(held, time, [&]() REQUIRES(mutex_) { return value_ || thrown_; });
  }

 private:
  mutex mutex_{lock_level::leaf};
  condition given_;
  std::optional<T> value_ GUARDED_BY(mutex_);
  std::exception_ptr thrown_ GUARDED_BY(mutex_);
};

// Marks an answer that says no more than that it came.
struct answer_mark {};

}  // namespace ferryfs
