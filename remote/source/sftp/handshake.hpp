// The first words with an SFTP server: the version exchange, and a look at the root.
#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <string>

#include "remote/source/sftp/task.hpp"
#include "remote/source/ssh/channel.hpp"

namespace ferryfs::remote::sftp {

// The server's answers in the handshake.
struct greeting {
  std::string root;                           // its path of the archive's root; opaque
  std::optional<attributes> root_attributes;  // nothing: it does not tell them, or not what kind of file it is
  extensions offered;
  std::chrono::steady_clock::duration round_trip;
};

// INIT, REALPATH and STAT of the root, in one round trip. Blocks for at most t.io_timeout, but gives up when `stop`
// turns true. Throws failure.
greeting exchange_greetings(ssh::channel& stream, const ssh::target& t, const std::atomic<bool>& stop);

}  // namespace ferryfs::remote::sftp
