// `.ferryfs/lock`: one process at a time works on a destination.
#pragma once

#include <string>

#include "remote/files/unique_fd.hpp"

namespace ferryfs::remote {

// Locks the file in the open directory `home`, .ferryfs of the destination at the path `archive`, and writes into it
// its holder: this process and, unless that is empty, its mountpoint. The lock lasts as long as the descriptor. Waits
// for three seconds for another process to let go. Throws ferryfs::error (local) where that holds it still, naming it.
unique_fd lock_archive(const unique_fd& home, const std::string& archive, const std::string& mountpoint);

}  // namespace ferryfs::remote
