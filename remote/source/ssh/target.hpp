// Where and as whom to log in: SOURCE as the user wrote it, completed from the user's ssh configuration.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ferryfs::remote::ssh {

struct settings {
  std::vector<std::string> identities;   // --identity
  std::vector<std::string> known_hosts;  // --known-hosts
  std::string config;                    // --ssh-config; empty: the user's own
  std::chrono::seconds io_timeout{30};   // longest silence of a server that owes an answer
};

struct target {
  std::string user, host, path;  // path: as given; relative to the login directory unless it begins with '/'
  int port = 22;
  std::vector<std::string> identities;   // key files to try, in order
  std::vector<std::string> known_hosts;  // files
  std::chrono::seconds io_timeout{30};

  // "user@host:port", for messages.
  std::string where() const;
};

// True for user@host:path and sftp://…; false for a local directory ("./a:b" is local, as for rsync).
bool is_remote(std::string_view source) noexcept;

// Parses a remote SOURCE and asks `ssh -G` for what the user's configuration says of that host. Throws ferryfs::error
// (usage) on a malformed SOURCE or a proxy, which is not supported.
target resolve(const std::string& source, const settings& given);

}  // namespace ferryfs::remote::ssh
