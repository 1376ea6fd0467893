// One scan of the destination: what is on the disk now, merged into the index. Blocks the calling thread; stops early
// when `stop` says so.
#pragma once

#include <cstdint>
#include <stop_token>

#include "index/reader.hpp"
#include "index/writer.hpp"
#include "remote/destination.hpp"

namespace ferryfs::remote {

// Returns how many names it saw. Directories that cannot be read keep what was known of them and are logged. Throws
// what the index throws.
std::uint64_t scan_destination(const destination& where, index::writer& index, index::readers& readers,
                               const std::stop_token& stop);

}  // namespace ferryfs::remote
