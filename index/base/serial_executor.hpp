// Work that an event starts and that must not keep the event's own thread: it calls back, or waits for the disk, the
// index or a lock.
#pragma once

#include <deque>
#include <functional>

#include "index/base/mutex.hpp"
#include "index/base/thread.hpp"

namespace ferryfs::remote {

class serial_executor {
 public:
  // `name`: for the log.
  explicit serial_executor(const char* name);
  // Runs what is posted, in order, on its one thread, also when it ends. An item that throws does not keep the next
  // from being run, and is only logged. Never blocks. Threads: any.
  void post(std::function<void()> work);

 private:
  void run(const std::stop_token& stop);

  const char* name_;
  mutex mutex_;  // a leaf
  condition has_work_;
  std::deque<std::function<void()>> queue_ GUARDED_BY(mutex_);
  thread thread_;
};

}  // namespace ferryfs::remote
