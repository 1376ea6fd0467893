// The end of a mount by a signal.
#pragma once

#include <pthread.h>

#include <functional>
#include <string>

#include "index/base/thread.hpp"

struct fuse_session;

namespace ferryfs::fs {

// Unmounts; libfuse's loop then ends by itself, as soon as no file is open. A process that still has one after
// the grace period, or holds a copy of the mount in a mount namespace of its own (mount_namespaces(7)), does not keep
// the service from ending: its calls then fail with ENOTCONN.
class forced_unmount {
 public:
  // On the thread that runs the loop of `session`. `stop_services` is called before the loop is made to end: it is the
  // last moment at which what waits for the kernel comes to its end, as the kernel may wait for the loop.
  forced_unmount(fuse_session* session, std::string mountpoint, std::function<void()> stop_services);

  // From any thread, once.
  void begin();

 private:
  fuse_session* session_;
  std::string mountpoint_;
  std::function<void()> stop_services_;
  pthread_t loop_;
  thread exit_loop_;  // ends with this, which is after the loop
};

}  // namespace ferryfs::fs
