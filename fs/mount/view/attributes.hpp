// A row of the index as `stat`, and for how long the kernel may keep that.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>

#include "fs/mount/view/merged_tree.hpp"

namespace ferryfs::fs {

// Seconds that the kernel may keep an answer: as long as the index is right. It is notified of each change.
inline constexpr double cache_time = 86400;

// An entry's attributes for the kernel, and for how many seconds it may keep them.
struct kernel_attributes {
  struct stat st;
  double timeout;
};
// `generation`: that of written_files before `e` was read. Where the file was entered in the index since, the row is
// read again.
kernel_attributes attributes_of(merged_tree& tree, std::uint64_t generation, entry e);
// Of an entry that was removed and that the kernel still holds; nothing where it is none. A file that is open shows
// itself.
std::optional<struct stat> attributes_of_removed(merged_tree& tree, inode ino);
// Of the entry `ino` as it has become; throws ENOENT where it is not to be seen.
kernel_attributes attributes_now(merged_tree& tree, inode ino);

}  // namespace ferryfs::fs
