// mkdir, symlink, mknod: a name is made on the destination's disk, then in the index.
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <optional>

#include "fs/mount/change/changes.hpp"
#include "fs/mount/change/mutation.hpp"
#include "fs/mount/change/unfinished_file.hpp"
#include "fs/mount/state/answer_errno.hpp"
#include "index/base/clock.hpp"

namespace ferryfs::fs {
namespace {

// `make(directory)` makes `name` on the disk, for ferryfs's user alone where it is to get a `mode`; the index is told
// of it. `removal_flags`: of unlinkat(2), to take it away where one of these fails.
template <typename Make>
shown_entry make_name(merged_tree& tree, caller who, inode parent, const char* name, std::optional<mode_t> mode,
                      const std::string& target, int removal_flags, Make&& make) {
  refuse_own_directory(parent, name);
  const entry directory = visible_entry(tree, parent);
  inode ino = 0;
  {
    const name_change changing{tree};
    const auto here = open_destination_directory(tree, parent, true);
    if (make(here.get()) != 0) throw answer_errno{errno};
    unfinished_file unfinished{here.get(), name, removal_flags};
    chown_new(tree, who, directory, here.get(), name);
    // Last: a new owner takes set-user-id away.
    if (mode) change_mode(unique_fd{disk().openat(here.get(), name, O_PATH | O_NOFOLLOW | O_CLOEXEC)}.get(), *mode);
    const auto now = stat_destination(tree, here.get(), name, target);
    ino = tree.archive.index().run([&](index::transaction& t) {
      return index::apply_creation(t, {parent, name, now.attributes, now.uid, now.gid, target}, wall_nanoseconds());
    });
    unfinished.keep();
  }
  return show(tree, ino);
}

}  // namespace

shown_entry make_directory(merged_tree& tree, caller who, inode parent, const char* name, mode_t mode) {
  refuse_own_directory(parent, name);
  const mode_t inherited = visible_entry(tree, parent).shown().mode & S_ISGID;
  return make_name(tree, who, parent, name, mode | inherited, "", AT_REMOVEDIR,
                   [&](int at) { return disk().mkdirat(at, name, 0700); });
}

shown_entry make_link(merged_tree& tree, caller who, inode parent, const char* name, const std::string& target) {
  return make_name(tree, who, parent, name, {}, target, 0,
                   [&](int at) { return disk().symlinkat(target.c_str(), at, name); });
}

shown_entry make_node(merged_tree& tree, caller who, inode parent, const char* name, mode_t mode, dev_t device) {
  return make_name(tree, who, parent, name, mode, "", 0,
                   [&](int at) { return disk().mknodat(at, name, (mode & S_IFMT) | 0600, device); });
}

}  // namespace ferryfs::fs
