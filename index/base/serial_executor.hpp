// Work that an event starts and that must not keep the event's own thread: it calls back, or waits for the disk, the
// index or a lock.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace ferryfs::remote {

class serial_executor {
 public:
  // `name`: for the log.
  explicit serial_executor(const char* name);
  // Runs what is posted, in order, on its one thread, also when it ends. Nothing that one item throws keeps the next
  // from being run; an item that somebody waits for tells him by itself. Never blocks. Threads: any.
  void post(std::function<void()> work);

 private:
  void run(const std::stop_token& stop);

  const char* name_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<std::function<void()>> queue_;
  std::jthread thread_;
};

}  // namespace ferryfs::remote
