// One mount, from INIT to umount.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "fs/mount/view/merged_tree.hpp"
#include "remote/engine/migration/migration.hpp"

namespace ferryfs::fs {

struct mount_options {
  std::string mountpoint;
  std::vector<std::string> fuse;  // -o
  bool allow_other = false;
  ownership owner;
};

// Throws ferryfs::error (usage) where FUSE does not take the options; mounts nothing.
void check_fuse_options(const mount_options& options);

// Mounts, calls `stands` when the kernel's first requests can be answered, serves until umount or a signal, and stops
// the archive. Signals must be blocked (see signals.hpp). Throws ferryfs::error (local) where it cannot be mounted.
void serve_mount(remote::migration& archive, const mount_options& options, const std::function<void()>& stands);

}  // namespace ferryfs::fs
