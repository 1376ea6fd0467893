// What is in .ferryfs/ of a mount.
#pragma once

#include <vector>

#include "fs/virtual/directory.hpp"
#include "remote/migration.hpp"

namespace ferryfs::fs {

// `m` outlives them.
std::vector<virtual_directory::file> own_files(remote::migration& m);

}  // namespace ferryfs::fs
