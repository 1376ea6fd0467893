// Where time, threads and waiting come from. The program has the machine's. A simulation installs its own: then all
// that this folder's clock, threads, mutexes and conditions do is its to decide, and the whole engine runs as it
// stands, one thread at a time, in an order that a seed gives.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>

namespace ferryfs {

// One of its threads runs at a time; each call but current() and install() is made by that one.
class scheduler {
 public:
  using steady_time = std::chrono::steady_clock::time_point;
  using wall_time = std::chrono::system_clock::time_point;
  using thread_id = std::uint64_t;  // 0: none

  virtual ~scheduler() = default;

  virtual steady_time steady_now() = 0;
  virtual wall_time wall_now() = 0;

  // Another thread may run before this returns.
  virtual void yield() = 0;
  // Others run until notify(on) is called or, false, the deadline is reached. No other thread runs between the call and
  // the moment from which on a notification counts.
  virtual bool wait(const void* on, std::optional<steady_time> deadline) = 0;
  // All that wait on it may run.
  virtual void notify(const void* on) = 0;

  virtual thread_id spawn(const char* name, std::function<void()> run) = 0;
  virtual void join(thread_id) = 0;
  virtual thread_id self() = 0;

  // Null: the machine's.
  static scheduler* current() noexcept { return current_.load(std::memory_order_relaxed); }
  // While no thread and no lock of either kind is in use.
  static void install(scheduler* s) noexcept { current_.store(s); }

 private:
  static inline std::atomic<scheduler*> current_ = nullptr;
};

}  // namespace ferryfs
