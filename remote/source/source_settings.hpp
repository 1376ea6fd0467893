// How a source is reached.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace ferryfs::remote {

struct source_settings {
  std::string source;  // as written, a local path made absolute
  std::vector<std::string> identities;
  std::vector<std::string> known_hosts;
  std::string ssh_config;
  std::size_t sessions = 4;  // connections at most
  std::chrono::seconds io_timeout{30};
};

}  // namespace ferryfs::remote
