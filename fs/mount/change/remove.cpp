// unlink, rmdir: first on the destination's disk, then in the index. A name that is only on the source has nothing on
// the disk: the index alone changes, and nothing is fetched.
#include <cerrno>

#include "fs/mount/change/changes.hpp"
#include "fs/mount/change/intents.hpp"
#include "fs/mount/change/mutation.hpp"
#include "fs/mount/state/answer_errno.hpp"
#include "index/base/clock.hpp"

namespace ferryfs::fs {
namespace {

void remove_entry(merged_tree& tree, inode parent, const char* name, bool directory) {
  const entry e = child_of(tree, parent, name);
  if (directory && !e.is_directory()) throw answer_errno{ENOTDIR};
  if (!directory && e.is_directory()) throw answer_errno{EISDIR};
  const name_change changing{tree};
  if (directory && !is_empty(tree, e)) throw answer_errno{ENOTEMPTY};
  remove_file(tree, e, parent, name, open_destination_directory(tree, parent, false));
  tree.archive.index().run([&](index::transaction& t) { index::apply_removal(t, e.ino, wall_nanoseconds()); });
}

}  // namespace

void remove_name(merged_tree& tree, inode parent, const char* name) { remove_entry(tree, parent, name, false); }

void remove_directory(merged_tree& tree, inode parent, const char* name) { remove_entry(tree, parent, name, true); }

}  // namespace ferryfs::fs
