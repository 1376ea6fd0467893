// Mutexes, locks and a condition with the annotations that libstdc++'s carry
// not, and under a scheduler's hand where one is installed. Each has its level
// in the order of locks, which is held to in builds without NDEBUG. All of
// index/, remote/ and fs/ locks by these.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <stop_token>
#include <utility>

#include "index/base/clock.hpp"
#include "index/base/lock_order.hpp"
#include "index/base/scheduler.hpp"
#include "index/base/thread_safety.hpp"

namespace ferryfs {

class CAPABILITY("mutex") mutex {
 public:
  constexpr explicit mutex(lock_level level, source_place made = source_place::here()) noexcept : place_(level, made) {}

  void lock() ACQUIRE() {
    place_.check();
    lock_now();
    place_.enter();
  }
  void unlock() RELEASE() {
    place_.leave();
    if (auto* const s = scheduler::current(); s != nullptr) return unlock_by(*s);
    of_.unlock();
  }

 private:
  void lock_now() NO_THREAD_SAFETY_ANALYSIS {  // does what lock() says
    if (auto* const s = scheduler::current(); s != nullptr) return lock_by(*s);
    of_.lock();
  }
  // A flag does here what the annotations say of lock() and unlock():
  // one thread runs at a time.
  void lock_by(scheduler& s) NO_THREAD_SAFETY_ANALYSIS {
    s.yield();
    while (is_held_) s.wait(this, std::nullopt);
    is_held_ = true;
  }
  void unlock_by(scheduler& s) NO_THREAD_SAFETY_ANALYSIS {
    is_held_ = false;
    s.notify(this);
  }

  std::mutex of_;
  bool is_held_ = false;  // under a scheduler
  [[no_unique_address]] lock_place place_;
};

class CAPABILITY("shared mutex") shared_mutex {
 public:
  explicit shared_mutex(lock_level level, source_place made = source_place::here()) noexcept : place_(level, made) {}

  void lock() ACQUIRE() {
    place_.check();
    lock_now();
    place_.enter();
  }
  void unlock() RELEASE() {
    place_.leave();
    if (auto* const s = scheduler::current(); s != nullptr) return unlock_by(*s, 1);
    of_.unlock();
  }
  void lock_shared() ACQUIRE_SHARED() {
    place_.check();
    lock_shared_now();
    place_.enter();
  }
  void unlock_shared() RELEASE_SHARED() {
    place_.leave();
    if (auto* const s = scheduler::current(); s != nullptr) return unlock_by(*s, 0);
    of_.unlock_shared();
  }
  bool try_lock() TRY_ACQUIRE(true) {
    const bool taken = try_lock_now();
    if (taken) place_.enter();
    return taken;
  }
  bool try_lock_shared() TRY_ACQUIRE_SHARED(true) {
    const bool taken = try_lock_shared_now();
    if (taken) place_.enter();
    return taken;
  }

 private:
  // These do what the functions of these names say.
  void lock_now() NO_THREAD_SAFETY_ANALYSIS {
    if (auto* const s = scheduler::current(); s != nullptr) return lock_by(*s, 1);
    of_.lock();
  }
  void lock_shared_now() NO_THREAD_SAFETY_ANALYSIS {
    if (auto* const s = scheduler::current(); s != nullptr) return lock_by(*s, 0);
    of_.lock_shared();
  }
  bool try_lock_now() NO_THREAD_SAFETY_ANALYSIS {
    if (auto* const s = scheduler::current(); s != nullptr) return try_lock_by(*s, 1);
    return of_.try_lock();
  }
  bool try_lock_shared_now() NO_THREAD_SAFETY_ANALYSIS {
    if (auto* const s = scheduler::current(); s != nullptr) return try_lock_by(*s, 0);
    return of_.try_lock_shared();
  }
  // As mutex::lock_by. A writer that waits is not preferred.
  void lock_by(scheduler& s, int exclusive) NO_THREAD_SAFETY_ANALYSIS {
    s.yield();
    while (exclusive != 0 ? holders_ != 0 : holders_ < 0) s.wait(this, std::nullopt);
    holders_ = exclusive != 0 ? -1 : holders_ + 1;
  }
  bool try_lock_by(scheduler& s, int exclusive) NO_THREAD_SAFETY_ANALYSIS {
    s.yield();
    if (exclusive != 0 ? holders_ != 0 : holders_ < 0) return false;
    holders_ = exclusive != 0 ? -1 : holders_ + 1;
    return true;
  }
  void unlock_by(scheduler& s, int exclusive) NO_THREAD_SAFETY_ANALYSIS {
    holders_ = exclusive != 0 ? 0 : holders_ - 1;
    s.notify(this);
  }

  std::shared_mutex of_;
  int holders_ = 0;  // under a scheduler; -1: one that has it alone
  [[no_unique_address]] lock_place place_;
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

// Waits on a held lock, which is held again when it returns; the analysis takes
// it for held all along, and is off in here, where it is not. A predicate that
// reads guarded members names the mutex:
// `[&]() REQUIRES(mutex_) { return !queue_.empty(); }`.
class condition {
 public:
  void notify_one() noexcept {
    if (auto* const s = scheduler::current(); s != nullptr) return s->notify(this);
    of_.notify_one();
  }
  void notify_all() noexcept {
    if (auto* const s = scheduler::current(); s != nullptr) return s->notify(this);
    of_.notify_all();
  }

  void wait(lock& l) NO_THREAD_SAFETY_ANALYSIS {
    if (auto* const s = scheduler::current(); s != nullptr) return void(wait_by(*s, l, std::nullopt));
    of_.wait(l.of_);
  }
  template <typename Predicate>
  void wait(lock& l, Predicate until) NO_THREAD_SAFETY_ANALYSIS {
    while (!until()) wait(l);
  }
  // False: a stop was asked for, and `until` does not hold.
  template <typename Predicate>
  bool wait(lock& l, const std::stop_token& stop, Predicate until) NO_THREAD_SAFETY_ANALYSIS {
    if (auto* const s = scheduler::current(); s != nullptr) return wait_by(*s, l, stop, std::nullopt, until);
    return of_.wait(l.of_, stop, std::move(until));
  }

  // At `time`, by steady_now(), it returns all the same: false where `until`
  // does not hold then.
  template <typename Predicate>
  bool wait_until(lock& l, scheduler::steady_time time, Predicate until) NO_THREAD_SAFETY_ANALYSIS {
    if (auto* const s = scheduler::current(); s != nullptr) {
      while (!until())
        if (!wait_by(*s, l, time)) return until();
      return true;
    }
    return of_.wait_until(l.of_, time, std::move(until));
  }
  template <typename Predicate>
  bool wait_until(lock& l, const std::stop_token& stop, scheduler::steady_time time,
                  Predicate until) NO_THREAD_SAFETY_ANALYSIS {
    if (auto* const s = scheduler::current(); s != nullptr) return wait_by(*s, l, stop, time, until);
    return of_.wait_until(l.of_, stop, time, std::move(until));
  }
  std::cv_status wait_until(lock& l, scheduler::steady_time time) NO_THREAD_SAFETY_ANALYSIS {
    if (auto* const s = scheduler::current(); s != nullptr)
      return wait_by(*s, l, time) ? std::cv_status::no_timeout : std::cv_status::timeout;
    return of_.wait_until(l.of_, time);
  }

  template <typename Rep, typename Period, typename Predicate>
  bool wait_for(lock& l, std::chrono::duration<Rep, Period> time, Predicate until) NO_THREAD_SAFETY_ANALYSIS {
    return wait_until(l, after(time), std::move(until));
  }
  template <typename Rep, typename Period, typename Predicate>
  bool wait_for(lock& l, const std::stop_token& stop, std::chrono::duration<Rep, Period> time,
                Predicate until) NO_THREAD_SAFETY_ANALYSIS {
    return wait_until(l, stop, after(time), std::move(until));
  }
  template <typename Rep, typename Period>
  std::cv_status wait_for(lock& l, std::chrono::duration<Rep, Period> time) NO_THREAD_SAFETY_ANALYSIS {
    return wait_until(l, after(time));
  }

 private:
  template <typename Duration>
  static scheduler::steady_time after(Duration time) {
    return steady_now() + std::chrono::ceil<std::chrono::steady_clock::duration>(time);
  }
  // No other thread runs between the unlock and the wait.
  bool wait_by(scheduler& s, lock& l, std::optional<scheduler::steady_time> time) NO_THREAD_SAFETY_ANALYSIS {
    l.of_.unlock();
    const bool notified = s.wait(this, time);
    l.of_.lock();
    return notified;
  }
  template <typename Predicate>
  bool wait_by(scheduler& s, lock& l, const std::stop_token& stop, std::optional<scheduler::steady_time> time,
               Predicate& until) NO_THREAD_SAFETY_ANALYSIS {
    const std::stop_callback wake{stop, [&] { s.notify(this); }};
    while (!until()) {
      if (stop.stop_requested()) return false;
      if (!wait_by(s, l, time)) return until();
    }
    return true;
  }

  std::condition_variable_any of_;
};

}  // namespace ferryfs
