// The mounts, from the kernel's list alone: no call here asks a file system that might hang.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace ferryfs::test {

struct mount_entry {
  std::filesystem::path point;
  std::string type;  // "ext4", "fuse.ferryfs", ...
};

// The mounts at `directory` or below it, topmost last.
std::vector<mount_entry> mounts_below(const std::filesystem::path& directory);

bool is_mounted(const std::filesystem::path& point);

// Takes off every mount at or below `directory` but the oldest `keep`, lazily, with whatever is open in them; returns
// how many there were.
std::size_t detach_below(const std::filesystem::path& directory, std::size_t keep = 0);

}  // namespace ferryfs::test
