// Threads, the machine's or a scheduler's.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

#include "index/base/clock.hpp"
#include "index/base/scheduler.hpp"

namespace ferryfs {

// As std::jthread: asked to stop and joined at its end.
class thread {
 public:
  using id = scheduler::thread_id;

  thread() = default;
  // `name`: for the system's tools, which show 15 bytes of it. `run` throws nothing.
  thread(const char* name, std::function<void(const std::stop_token&)> run) {
    if (auto* const s = scheduler::current(); s != nullptr) {
      id_ = s->spawn(name, [token = stop_.get_token(), run = std::move(run)] { run(token); });
      return;
    }
    machines_ = std::thread{[shown = std::string(name).substr(0, 15), token = stop_.get_token(), run = std::move(run)] {
      ::pthread_setname_np(::pthread_self(), shown.c_str());
      run(token);
    }};
    id_ = 1;
  }
  ~thread() { end(); }
  thread(thread&& other) noexcept { *this = std::move(other); }
  thread& operator=(thread&& other) noexcept {
    end();
    stop_ = std::move(other.stop_);
    machines_ = std::move(other.machines_);
    id_ = std::exchange(other.id_, 0);
    other.stop_ = std::stop_source{};
    return *this;
  }

  bool joinable() const noexcept { return id_ != 0; }
  void request_stop() noexcept { stop_.request_stop(); }
  std::stop_token get_stop_token() const noexcept { return stop_.get_token(); }
  void join() {
    if (!joinable()) return;
    const id mine = std::exchange(id_, 0);
    if (machines_.joinable()) return machines_.join();
    scheduler::current()->join(mine);
  }

  // Of the thread that calls: another for each.
  static id self() {
    if (auto* const s = scheduler::current(); s != nullptr) return s->self();
    static std::atomic<id> last = 0;
    thread_local const id mine = ++last;
    return mine;
  }

 private:
  void end() {
    request_stop();
    join();
  }

  std::stop_source stop_;
  std::thread machines_;
  id id_ = 0;
};

inline void sleep_for(std::chrono::nanoseconds time) {
  auto* const s = scheduler::current();
  if (s == nullptr) return std::this_thread::sleep_for(time);
  const char nothing = 0;
  s->wait(&nothing, s->steady_now() + time);
}

}  // namespace ferryfs
