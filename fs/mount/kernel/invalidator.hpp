// Tells the kernel what it must forget. One thread, after the commit and under no lock: a notification waits for the
// kernel, which may wait for an operation of ours.
#pragma once

#include <fuse_lowlevel.h>

#include <vector>

#include "index/base/mutex.hpp"
#include "index/base/thread.hpp"
#include "index/db/transaction.hpp"

namespace ferryfs::fs {

class invalidator {
 public:
  ~invalidator() { stop(); }
  // From here on changes are passed on; until then nothing is cached.
  void start(fuse_session* session);
  void stop();
  void notify(std::vector<index::change> changes);

 private:
  void run(const std::stop_token& stop, fuse_session* session);
  mutex mutex_{lock_level::leaf};
  condition wake_;
  std::vector<index::change> waiting_ GUARDED_BY(mutex_);
  bool running_ GUARDED_BY(mutex_) = false;
  thread thread_;
};

}  // namespace ferryfs::fs
