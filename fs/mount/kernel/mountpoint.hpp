// The directory that is mounted over.
#pragma once

#include <string>

namespace ferryfs::fs {

// Cleans away a mount of ferryfs that died (ENOTCONN), and checks that MOUNTPOINT is a directory that nobody has
// mounted ferryfs over, and empty unless it is the destination. Throws ferryfs::error (usage).
void prepare_mountpoint(const std::string& mountpoint, const std::string& destination);

// Whether ferryfs is mounted there, in our mount namespace. Where it no longer is, another file system may be, such as
// the destination's own disk, which is not ours to take off.
bool stands_at(const std::string& mountpoint);

// Takes the mount out of the tree at once; files that are open go on until they are closed.
void detach(const std::string& mountpoint);

}  // namespace ferryfs::fs
