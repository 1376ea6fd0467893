// The parts of a change through the mount: on the destination's disk, and in the index.
#pragma once

#include <functional>
#include <string>

#include <sys/types.h>

#include "fs/mount/change/changes.hpp"
#include "fs/mount/view/merged_tree.hpp"
#include "index/base/clock.hpp"
#include "index/base/mutex.hpp"
#include "index/update/local_change.hpp"
#include "remote/files/beneath.hpp"

namespace ferryfs::fs {

// Holds the lock of the namespace from a change on the disk until the index knows of it.
template <typename Lock>
class change_of_names {
 public:
  explicit change_of_names(merged_tree& tree) : where_(tree.archive.where()), held_(where_.namespace_lock()) {}
  // The change is counted when the index has it: a thread that read the count before the row sees that the row is
  // another by now.
  ~change_of_names() { ++where_.namespace_version(); }
  change_of_names(const change_of_names&) = delete;
  change_of_names& operator=(const change_of_names&) = delete;

 private:
  const remote::destination& where_;
  Lock held_;
};
// The kernel keeps two changes of one name apart.
using name_change = change_of_names<shared_lock>;
// Exclusive: another thread may be on its way through the directory that gets another name.
using rename_change = change_of_names<exclusive_lock>;

// The destination's directory that `ino` stands for; made, with what is above it, where it is not here and `make`.
// Throws answer_errno; where it is not here and not to be made, the descriptor is empty. Inside a change of names.
unique_fd open_destination_directory(merged_tree& tree, inode ino, bool make);

// Opens the file of `e` on the disk, as an O_PATH descriptor that followed no symbolic link: changes go through it.
// Throws answer_errno: ENOENT where nothing is there, EIO where it is of another kind than the index knows. Inside a
// change of names.
unique_fd open_path_descriptor(merged_tree& tree, const entry& e);
// Sets the permission bits of what `fd`, which may be an O_PATH descriptor, stands for. Throws answer_errno.
void change_mode(int fd, mode_t mode);

// The entry `name` of `parent`, which must be one of the archive's own; throws answer_errno (EPERM for .ferryfs,
// ENOENT where there is none).
entry child_of(merged_tree& tree, inode parent, const char* name);
// The entry `ino`; throws answer_errno (ENOENT) where it is not to be seen.
entry visible_entry(merged_tree& tree, inode ino);
// Whether nothing is in a directory, which was listed.
bool is_empty(merged_tree& tree, const entry& directory);
// Throws EPERM where `name` in `parent` is .ferryfs.
void refuse_own_directory(inode parent, const char* name);

// How the file at `name` stands on the disk now, as the index keeps it.
index::directory_entry stat_destination(merged_tree& tree, int directory, const char* name,
                                        const std::string& target = {});
index::directory_entry listed_of(merged_tree& tree, const struct stat& st, const char* name = "",
                                 const std::string& target = {});

// Gives the file that was just made in `directory` its owner: the caller, or a set-group-id directory's group.
void chown_new(merged_tree& tree, caller who, const entry& parent, int directory, const char* name);

// Makes an empty local file for a missing picture whose bytes are not wanted any more. Returns it open for writing.
std::shared_ptr<const unique_fd> replace_missing(merged_tree& tree, inode ino);

}  // namespace ferryfs::fs
