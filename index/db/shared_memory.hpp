// Whether processes can share memory by a file.
#pragma once

#include <string>

namespace ferryfs::index {

// Whether files beside `path` can be mapped by several processes at once, which SQLite's WAL stands on. Some file
// systems can't (FUSE with direct_io). Tried once for each file system; where nothing can be written, it counts as
// there. Threads: any.
bool has_shared_memory(const std::string& path);

}  // namespace ferryfs::index
