// A change of a name on the destination's disk is entered in the index before it is made, so that the next start can
// tell whether it did (index/model/rename_intent.hpp). All inside a change of names.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>

#include "fs/mount/view/merged_tree.hpp"
#include "remote/files/unique_fd.hpp"

namespace ferryfs::fs {

// The file on the disk; nothing: none is there.
std::optional<struct stat> on_disk(const unique_fd& directory, const char* name);

// `from`, which has a file in `at`, is to get that name; in place of `replaced`, which is exchanged for it or goes.
void intend_rename(merged_tree& tree, const entry& from, const unique_fd& at, inode parent, const std::string& name,
                   std::uint64_t replaced, inode exchanged);
// The disk did not do it: the index forgets the intent. Throws answer_errno{problem}.
[[noreturn]] void fail_rename(merged_tree& tree, inode ino, int problem);

// Removes the file `name`, if there is one, before `whose` is removed from the index or gets that name.
void remove_file(merged_tree& tree, const entry& whose, inode parent, const char* name, const unique_fd& directory);

}  // namespace ferryfs::fs
