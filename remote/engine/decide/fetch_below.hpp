// Fetching a picture, or every gap below a directory, because somebody asked for it: what was skipped there is not, any
// more.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

#include "remote/engine/migration/migration.hpp"

namespace ferryfs::remote {

struct fetched {
  std::uint64_t files = 0, bytes = 0;  // made local
  std::uint64_t failed = 0;
  std::string first_failure;
};

// Blocks until all of it is local or failed. `path` is relative to the archive's root; nothing there is a failure.
fetched fetch_below(migration& m, const std::string& path, const std::stop_token& stop);

}  // namespace ferryfs::remote
