// Signals as calls: SIGINT, SIGTERM and SIGHUP are blocked in every thread and taken by one of its own.
#pragma once

#include <functional>
#include <thread>

namespace ferryfs::fs {

// Blocks them in the calling thread; before any other thread is made.
void block_signals();

class signal_watcher {
 public:
  // Calls `call` on its own thread for each signal that comes; `count` begins with 1.
  explicit signal_watcher(std::function<void(int count)> call);
  ~signal_watcher();

 private:
  std::jthread thread_;
};

}  // namespace ferryfs::fs
