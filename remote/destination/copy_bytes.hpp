// The bytes of one file into another, on the same file system or on two.
#pragma once

#include <sys/types.h>

namespace ferryfs::remote {

// Copies `size` bytes of `in` into `out`, which is empty. Holes stay holes, as far as the file systems know them.
// False, and errno set, where that fails.
bool copy_bytes(int in, int out, off_t size);

}  // namespace ferryfs::remote
