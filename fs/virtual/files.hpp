// The files in .ferryfs/ of a mount.
#pragma once

#include <functional>
#include <vector>

#include "fs/virtual/directory.hpp"
#include "remote/engine/migration/migration.hpp"

namespace ferryfs::fs {

// `m` outlives them. `passes_through`: the kernel reads and writes local files itself.
std::vector<virtual_directory::file> virtual_files(remote::migration& m, std::function<bool()> passes_through);

}  // namespace ferryfs::fs
