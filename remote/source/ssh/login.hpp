// Public-key login: the agent's keys first, then key files.
#pragma once

#include <libssh2.h>

#include "remote/source/ssh/deadline_call.hpp"
#include "remote/source/ssh/target.hpp"

namespace ferryfs::remote::ssh {

// Logs `t.user` in on a session after its handshake. Throws failure (refused) that says what was tried.
void log_in(LIBSSH2_SESSION* session, const target& t, const deadline_call& wait);

}  // namespace ferryfs::remote::ssh
