// The destination's own files, opened for those who read or change them.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "fs/mount/view/merged_tree.hpp"
#include "remote/files/unique_fd.hpp"

namespace ferryfs::fs {

// The path of `ino` in the view; nothing where it has none.
std::optional<std::string> path_of(merged_tree& tree, inode ino);

// The local file of an entry. Throws errno where the index says that it is here and the disk does not.
std::shared_ptr<const unique_fd> open_local(merged_tree& tree, const entry& e, int flags);
// The same by the `path` that `e` had when it was read.
std::shared_ptr<const unique_fd> open_local(merged_tree& tree, const entry& e, const std::string& path, int flags);
// The same inside a change of names: the path is the one that the index has at this moment.
std::shared_ptr<const unique_fd> open_named(merged_tree& tree, const entry& e, int flags);

// The local file of a handle that writes; null while the picture is missing. Takes the names' lock.
std::shared_ptr<const unique_fd> local_of(merged_tree& tree, open_file& handle);

// The file that an entry of any kind stands for on the disk, which may be an O_PATH descriptor; null where its bytes
// are not here. `names_held`: inside a change of names.
std::shared_ptr<const unique_fd> find_local(merged_tree& tree, inode ino, bool names_held = false);

}  // namespace ferryfs::fs
