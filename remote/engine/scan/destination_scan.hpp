// One scan of the destination: reads the disk as it is now, and merges that into the index. Blocks the calling thread;
// stops early when `stop` says so.
#pragma once

#include <cstdint>
#include <stop_token>

#include "index/db/reader.hpp"
#include "index/db/writer.hpp"
#include "remote/destination/destination.hpp"
#include "remote/engine/scan/directory_cache.hpp"

namespace ferryfs::remote {

// Returns how many names it read. Directories that cannot be read keep what was known of them and are logged. A
// directory that `cache` knows to be unchanged is not read again, its subdirectories are looked at each. Throws what
// the first directory threw that could not be merged, when the others are.
// Locks: destination::namespace_lock() alone for at most 256 names at a time, with a job of the index under it.
std::uint64_t scan_destination(const destination& where, index::writer& index, index::readers& readers,
                               const std::stop_token& stop, directory_cache& cache);

}  // namespace ferryfs::remote
