// How far ahead the kernel reads in a file that is not passed through.
#pragma once

#include <string>

namespace ferryfs::fs {

// Lets it read as much ahead as one request holds. Only after INIT, whose answer sets what the kernel takes by itself
// (128 KiB). Asks nothing of the mount, so a handler may call it; where root is not what runs it, nothing is changed.
void raise_read_ahead(const std::string& mountpoint);

}  // namespace ferryfs::fs
