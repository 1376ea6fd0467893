// Fetching a picture, or every gap below a directory, on request: pictures that were skipped there no longer are.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>

#include "index/db/reader.hpp"
#include "index/db/writer.hpp"
#include "remote/engine/fetch/fetcher.hpp"

namespace ferryfs::remote {

struct fetch_below_result {
  std::uint64_t files = 0, bytes = 0;  // made local
  std::uint64_t failed = 0;
  std::string first_failure;
};

// Blocks until all of it is local or failed. `path` is relative to the archive's root; nothing there is a failure.
fetch_below_result fetch_below(index::writer& index, index::readers& readers, fetcher& fetch, const std::string& path,
                               const std::stop_token& stop);

}  // namespace ferryfs::remote
