// The check of a server's host key against known_hosts files. There is no way round it.
#pragma once

#include <libssh2.h>

#include <memory>
#include <string>

#include "remote/source/ssh/target.hpp"

namespace ferryfs::remote::ssh {

// The known_hosts files of one target, hashed names and [host]:port included. One thread; lives no longer than the
// session.
class known_hosts {
 public:
  // Reads what can be read; lines of kinds that libssh2 does not know are passed over, @revoked ones are kept apart.
  known_hosts(LIBSSH2_SESSION* session, const target& t);

  // Host key algorithms in the order to ask for: those of the keys that are known for this host first, so that a
  // server with several keys shows the one that can be checked.
  std::string preferred_algorithms() const;

  // Compares the key that the server showed in the handshake. Throws failure (refused) with its fingerprint.
  void check() const;

 private:
  struct deleter {
    void operator()(LIBSSH2_KNOWNHOSTS* hosts) const noexcept { libssh2_knownhost_free(hosts); }
  };
  using handle = std::unique_ptr<LIBSSH2_KNOWNHOSTS, deleter>;
  int look_up(LIBSSH2_KNOWNHOSTS* in, const char* key, std::size_t length, int kind) const;

  LIBSSH2_SESSION* session_;
  const target& target_;
  handle known_, revoked_;
};

}  // namespace ferryfs::remote::ssh
