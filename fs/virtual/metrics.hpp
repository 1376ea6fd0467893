// .ferryfs/metrics: the state in Prometheus' text format.
#pragma once

#include <cstdint>
#include <string>

#include "fs/report/status.hpp"

namespace ferryfs::fs {

// `files` and `bytes` were fetched since this process began.
std::string metrics_text(const json& status, std::uint64_t files, std::uint64_t bytes);
std::string metrics_of(remote::migration& m);

}  // namespace ferryfs::fs
