// Renaming to a name that is to be free, also where the file system takes no flags (GlusterFS, NFS, ZFS before 2.2,
// ntfs-3g: renameat2 answers EINVAL).
#pragma once

#include <string>

namespace ferryfs {

// The way out where the file system has neither renames with flags nor hard links.
enum class no_links {
  fail,        // the error of link(2)
  look_first,  // a look, and then a plain rename: the caller keeps all others from making that name meanwhile
};

// Gives `old_name` in the open directory `from` the name `name` in `to`, in place of nothing. 0 or errno; EEXIST where
// something has that name, and both are then as they were. Threads: any.
int rename_no_replace(int from, const std::string& old_name, int to, const std::string& name,
                      no_links otherwise) noexcept;

}  // namespace ferryfs
