// A scheduler of a target that has one thread: time passes when the target says so.
#pragma once

#include "index/base/scheduler.hpp"
#include "tests/fuzz/input.hpp"

namespace ferryfs::fuzz {

class one_thread final : public scheduler {
 public:
  one_thread() { install(this); }
  ~one_thread() override { install(nullptr); }
  one_thread(const one_thread&) = delete;
  one_thread& operator=(const one_thread&) = delete;

  void pass(std::chrono::nanoseconds time) { passed_ += time; }

  steady_time steady_now() override { return steady_time(std::chrono::hours(1) + passed_); }
  wall_time wall_now() override {
    return wall_time(std::chrono::duration_cast<wall_time::duration>(std::chrono::days(20'000) + passed_));
  }
  void yield() override {}
  bool wait(const void*, std::optional<steady_time>) override {
    demand(false, "nobody waits for another thread");
    return false;
  }
  void notify(const void*) override {}
  thread_id spawn(const char*, std::function<void()>) override {
    demand(false, "no thread is started");
    return 0;
  }
  void join(thread_id) override {}
  thread_id self() override { return 1; }

 private:
  std::chrono::nanoseconds passed_{0};
};

}  // namespace ferryfs::fuzz
