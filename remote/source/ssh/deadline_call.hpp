// Waiting for a libssh2 call that would block: with a deadline, and an ear for the order to stop.
#pragma once

#include <libssh2.h>

#include <atomic>
#include <chrono>
#include <functional>

namespace ferryfs::remote::ssh {

struct deadline_call {
  LIBSSH2_SESSION* session;
  int socket;
  std::chrono::milliseconds deadline;  // of each call
  const std::atomic<bool>& stop;

  // Calls `call` until it returns anything but LIBSSH2_ERROR_EAGAIN, and returns that; LIBSSH2_ERROR_TIMEOUT at the
  // deadline. Throws failure (cancelled) when it is to stop.
  int operator()(const std::function<int()>& call) const;
};

// Waits until the socket is ready in the direction that libssh2 names, `wake` (or -1) is readable, or the time is over.
// While something is `unsent`, nothing that came is read: then it counts for nothing that the socket is readable.
void wait_for(LIBSSH2_SESSION* session, int socket, int wake, std::chrono::milliseconds at_most, bool unsent = false);

}  // namespace ferryfs::remote::ssh
