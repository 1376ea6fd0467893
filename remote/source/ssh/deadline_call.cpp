#include "remote/source/ssh/deadline_call.hpp"

#include <poll.h>

#include <algorithm>

#include "index/base/clock.hpp"
#include "remote/source/failure.hpp"

namespace ferryfs::remote::ssh {

using namespace std::chrono;

int deadline_call::operator()(const std::function<int()>& call) const {
  const auto end = steady_now() + deadline;
  while (true) {
    const int result = call();
    if (result != LIBSSH2_ERROR_EAGAIN) return result;
    if (stop) throw failure{cause::cancelled, "ferryfs is ending"};
    const auto left = duration_cast<milliseconds>(end - steady_now());
    if (left <= 0ms) return LIBSSH2_ERROR_TIMEOUT;
    wait_for(session, socket, -1, std::min<milliseconds>(left, 100ms));
  }
}

void wait_for(LIBSSH2_SESSION* session, int socket, int wake, milliseconds at_most, bool unsent) {
  const bool out = (libssh2_session_block_directions(session) & LIBSSH2_SESSION_BLOCK_OUTBOUND) != 0;
  const int events = !out ? POLLIN : unsent ? POLLOUT : POLLIN | POLLOUT;
  pollfd p[2] = {{socket, static_cast<short>(events), 0}, {wake, POLLIN, 0}};
  poll(p, wake < 0 ? 1 : 2, static_cast<int>(at_most.count()));
}

}  // namespace ferryfs::remote::ssh
