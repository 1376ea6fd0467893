// TCP sockets on 127.0.0.1, with buffers for a fast link.
#pragma once

#include <cstdint>

#include "tests/doubles/descriptor.hpp"

namespace ferryfs::test {

// Non-blocking, without Nagle's delay, its buffers as large as the system lets it have up to 4 MiB each.
descriptor loopback_socket();

// connect(2): 0, or -1 with errno.
int connect_loopback(const descriptor& socket, std::uint16_t port);

// A listening socket; 0 is any free port.
descriptor listen_loopback(std::uint16_t port);

// The next connection of a listener, set up like the others; empty where there is none.
descriptor accept_loopback(const descriptor& listener);

// A blocking connection. Throws std::system_error where it is refused.
descriptor connected_loopback(std::uint16_t port);

std::uint16_t port_of(const descriptor& socket);

// A port on which nobody listens now.
std::uint16_t free_port();

}  // namespace ferryfs::test
