// The standard library's mutexes, locks and condition variable, with the annotations that libstdc++'s carry not. All
// of index/, remote/ and fs/ locks by these.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <shared_mutex>
#include <stop_token>
#include <utility>

#include "index/base/thread_safety.hpp"

namespace ferryfs {

class CAPABILITY("mutex") mutex {
 public:
  void lock() ACQUIRE() { of_.lock(); }
  void unlock() RELEASE() { of_.unlock(); }
  bool try_lock() TRY_ACQUIRE(true) { return of_.try_lock(); }

 private:
  std::mutex of_;
};

class CAPABILITY("shared mutex") shared_mutex {
 public:
  void lock() ACQUIRE() { of_.lock(); }
  void unlock() RELEASE() { of_.unlock(); }
  void lock_shared() ACQUIRE_SHARED() { of_.lock_shared(); }
  void unlock_shared() RELEASE_SHARED() { of_.unlock_shared(); }

 private:
  std::shared_mutex of_;
};

// Holds a mutex until its own end. May be unlocked and locked again before.
class SCOPED_CAPABILITY lock {
 public:
  explicit lock(mutex& m) ACQUIRE(m) : of_(m) { of_.lock(); }
  ~lock() RELEASE() {
    if (held_) of_.unlock();
  }
  lock(const lock&) = delete;
  lock& operator=(const lock&) = delete;
  void unlock() RELEASE() {
    held_ = false;
    of_.unlock();
  }
  void relock() ACQUIRE() {
    of_.lock();
    held_ = true;
  }

 private:
  friend class condition;
  mutex& of_;
  bool held_ = true;
};

class SCOPED_CAPABILITY exclusive_lock {
 public:
  explicit exclusive_lock(shared_mutex& m) ACQUIRE(m) : of_(m) { of_.lock(); }
  ~exclusive_lock() RELEASE() { of_.unlock(); }
  exclusive_lock(const exclusive_lock&) = delete;
  exclusive_lock& operator=(const exclusive_lock&) = delete;

 private:
  shared_mutex& of_;
};

class SCOPED_CAPABILITY shared_lock {
 public:
  explicit shared_lock(shared_mutex& m) ACQUIRE_SHARED(m) : of_(m) { of_.lock_shared(); }
  ~shared_lock() RELEASE_GENERIC() { of_.unlock_shared(); }
  shared_lock(const shared_lock&) = delete;
  shared_lock& operator=(const shared_lock&) = delete;

 private:
  shared_mutex& of_;
};

// Waits on a held lock, which is held again when it returns; the analysis takes it for held all along. A predicate that
// reads guarded members names the mutex: `[&]() REQUIRES(mutex_) { return !queue_.empty(); }`.
class condition {
 public:
  void notify_one() noexcept { of_.notify_one(); }
  void notify_all() noexcept { of_.notify_all(); }

  void wait(lock& l) { of_.wait(l.of_); }
  template <typename Predicate>
  void wait(lock& l, Predicate until) {
    of_.wait(l.of_, std::move(until));
  }
  // False: a stop was asked for, and `until` does not hold.
  template <typename Predicate>
  bool wait(lock& l, const std::stop_token& stop, Predicate until) {
    return of_.wait(l.of_, stop, std::move(until));
  }
  template <typename Duration>
  std::cv_status wait_for(lock& l, Duration time) {
    return of_.wait_for(l.of_, time);
  }
  // Whether `until` holds, as it returns.
  template <typename Duration, typename Predicate>
  bool wait_for(lock& l, Duration time, Predicate until) {
    return of_.wait_for(l.of_, time, std::move(until));
  }
  template <typename Duration, typename Predicate>
  bool wait_for(lock& l, const std::stop_token& stop, Duration time, Predicate until) {
    return of_.wait_for(l.of_, stop, time, std::move(until));
  }
  template <typename Clock, typename Duration>
  std::cv_status wait_until(lock& l, std::chrono::time_point<Clock, Duration> time) {
    return of_.wait_until(l.of_, time);
  }
  template <typename Clock, typename Duration, typename Predicate>
  bool wait_until(lock& l, std::chrono::time_point<Clock, Duration> time, Predicate until) {
    return of_.wait_until(l.of_, time, std::move(until));
  }
  template <typename Clock, typename Duration, typename Predicate>
  bool wait_until(lock& l, const std::stop_token& stop, std::chrono::time_point<Clock, Duration> time,
                  Predicate until) {
    return of_.wait_until(l.of_, stop, time, std::move(until));
  }

 private:
  std::condition_variable_any of_;
};

}  // namespace ferryfs
