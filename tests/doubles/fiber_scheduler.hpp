// A scheduler that runs all threads in turns on the one that calls run(), in an order that a seed gives: the same seed,
// the same order. Its clock stands but for a microsecond a turn; where nobody can run it jumps to the next deadline.
#pragma once

#include <setjmp.h>
#include <ucontext.h>

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "index/base/scheduler.hpp"

namespace ferryfs::test {

class fiber_scheduler final : public scheduler {
 public:
  explicit fiber_scheduler(std::uint64_t seed);
  ~fiber_scheduler() override;

  // Runs `first` and all threads that come of it, to their end. Installed from begin to end. Throws what a thread
  // threw, and std::runtime_error with the names of those that wait where none can ever run again. What was not ended
  // then is not unwound. False: it was abandoned.
  bool run(std::function<void()> first);
  // Called by one of its threads: none of them runs any more, as when a process is killed, and run() returns false.
  // What stands on their stacks, and what that owns, is neither destroyed nor freed.
  [[noreturn]] void abandon();

  // A call of yield() lets others run one time in `n`.
  void yield_one_in(unsigned n) { yield_one_in_ = n; }
  std::uint64_t turns() const noexcept { return turns_; }

  // The time of day jumps.
  void set_wall(wall_time to) { wall_offset_ = to - wall_time{} - (now_ - steady_time{}); }
  // Of all turns so far: two runs that differ in one have another.
  std::uint64_t trace() const noexcept { return trace_; }

  steady_time steady_now() override { return now_; }
  wall_time wall_now() override;
  void yield() override;
  bool wait(const void* on, std::optional<steady_time> deadline) override;
  void notify(const void* on) override;
  thread_id spawn(const char* name, std::function<void()> run) override;
  void join(thread_id) override;
  thread_id self() override;

 private:
  struct fiber;
  static void enter();
  void resume(fiber& f);
  void suspend();
  void wake_due();
  void collect_ready();
  bool pass_time();
  void leak_all();
  [[noreturn]] void tell_deadlock() const;

  std::mt19937_64 random_;
  steady_time now_{std::chrono::hours(1)};
  std::chrono::nanoseconds wall_offset_{std::chrono::hours(24 * 365 * 56)};
  std::uint64_t trace_ = 0;
  thread_id last_ = 0;
  std::uint64_t turns_ = 0;
  unsigned yield_one_in_ = 1;
  bool abandoned_ = false;
  std::vector<std::unique_ptr<fiber>> fibers_;
  std::vector<std::size_t> ready_;  // of one turn: places in fibers_
  fiber* running_ = nullptr;
  jmp_buf outside_;
  std::exception_ptr thrown_;
};

}  // namespace ferryfs::test
