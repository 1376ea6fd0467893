// Work that an event starts and that must not keep the event's own thread: it calls back, or waits for the disk, the
// index or a lock; also later, at a time.
#pragma once

#include <chrono>
#include <functional>
#include <map>

#include "index/base/mutex.hpp"
#include "index/base/thread.hpp"

namespace ferryfs::remote {

class serial_executor {
 public:
  using clock = std::chrono::steady_clock;

  // `name`: of the thread, and for the log.
  explicit serial_executor(const char* name) : name_(name) {}
  // Starts its thread now. Throws std::system_error where the machine has none left.
  void start();
  // Runs what is posted, in order, on its one thread, which start() or the first of it starts, also when it ends. An
  // item that throws does not keep the next from being run, and is only logged. Never blocks. Threads: any.
  void post(std::function<void()> work);
  // The same at that time, by steady_now(). What is not due when this ends is dropped.
  void post_at(clock::time_point when, std::function<void()> work);
  // Items that were posted for later are due now, and from now on at once.
  void stop_waiting();
  // Blocks until all that is due by now has run. Not for its own thread.
  void drain();

 private:
  void run(const std::stop_token& stop);
  void add(clock::time_point when, std::function<void()>&& work) REQUIRES(mutex_);
  void start_thread() REQUIRES(mutex_);
  bool is_due(clock::time_point when) const REQUIRES(mutex_);

  const char* name_;
  mutex mutex_{lock_level::leaf};
  condition has_work_;
  std::multimap<clock::time_point, std::function<void()>> queue_ GUARDED_BY(mutex_);  // by when it is due
  bool waits_ GUARDED_BY(mutex_) = true;                                              // for what is due later
  bool has_thread_ GUARDED_BY(mutex_) = false;
  thread thread_;
};

}  // namespace ferryfs::remote
