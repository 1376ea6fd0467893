// rename: first on the destination's disk, where the name is, then in the index. A name that is only on the source has
// nothing on the disk: the index alone changes, and nothing is fetched.
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/stat.h>

#include <cerrno>

#include "fs/mount/change/changes.hpp"
#include "fs/mount/change/intents.hpp"
#include "fs/mount/change/mutation.hpp"
#include "fs/mount/state/answer_errno.hpp"
#include "index/base/clock.hpp"
#include "remote/destination/rename_recovery.hpp"

namespace ferryfs::fs {
namespace {

// A file system may take a name for that of another file (its case, its normalisation), which is not to be replaced.
void refuse_look_alike(merged_tree& tree, const unique_fd& directory, const char* name, const struct stat& file) {
  if (!tree.archive.where().is_look_alike(directory.get(), name)) return;
  if (const auto other = on_disk(directory, name); other && other->st_ino != file.st_ino) throw answer_errno{EEXIST};
}

// Where a rename replaces a file, ext4 makes the bytes of the new one durable before; a missing picture has no file
// here, and is not to be hidden by an empty one after a power cut.
void make_durable(const unique_fd& directory, const char* name) {
  const unique_fd file{disk().openat(directory.get(), name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)};
  if (!file || disk().fdatasync(file.get()) != 0) throw answer_errno{errno};
}

// The disk's part. An entry that is not here needs no more than that the file under its new name goes.
void move_here(merged_tree& tree, const entry& from, inode parent, const char* name,
               const std::optional<entry>& there) {
  const auto old_directory = open_destination_directory(tree, from.parent, false);
  if (const auto file = on_disk(old_directory, from.name.c_str())) {
    const auto new_directory = open_destination_directory(tree, parent, true);
    refuse_look_alike(tree, new_directory, name, *file);
    if (there && (there->is_gap() || there->state == state::refused) && S_ISREG(file->st_mode))
      make_durable(old_directory, from.name.c_str());
    intend_rename(tree, from, old_directory, parent, name,
                  remote::identity_of(new_directory.get(), name, remote::identity::exact), 0);
    if (disk().renameat(old_directory.get(), from.name.c_str(), new_directory.get(), name) != 0)
      fail_rename(tree, from.ino, errno);
    return;
  }
  if (there) remove_file(tree, from, parent, name, open_destination_directory(tree, parent, false));
}

void exchange(merged_tree& tree, const entry& one, const entry& other) {
  const auto first = open_destination_directory(tree, one.parent, true),
             second = open_destination_directory(tree, other.parent, true);
  const auto has_one = on_disk(first, one.name.c_str()), has_other = on_disk(second, other.name.c_str());
  const auto identity = [](const unique_fd& at, const entry& e) {
    return remote::identity_of(at.get(), e.name.c_str(), remote::identity::exact);
  };
  if (has_one)
    intend_rename(tree, one, first, other.parent, other.name, identity(second, other), other.ino);
  else if (has_other)
    intend_rename(tree, other, second, one.parent, one.name, identity(first, one), one.ino);
  int result = 0;
  if (has_one && has_other)
    result = disk().renameat2(first.get(), one.name.c_str(), second.get(), other.name.c_str(), RENAME_EXCHANGE);
  else if (has_one)
    result = disk().renameat(first.get(), one.name.c_str(), second.get(), other.name.c_str());
  else if (has_other)
    result = disk().renameat(second.get(), other.name.c_str(), first.get(), one.name.c_str());
  if (result != 0) fail_rename(tree, has_one ? one.ino : other.ino, errno);
  tree.archive.index().run(
      [&](index::transaction& t) { index::apply_exchange(t, one.ino, other.ino, wall_nanoseconds()); });
}

void rename_name(merged_tree& tree, const entry& from, inode parent, const char* name, unsigned flags) {
  const auto there = tree.archive.readers().borrow()->child(parent, name);
  if ((flags & RENAME_EXCHANGE) != 0) {
    if (!there) throw answer_errno{ENOENT};
    return exchange(tree, from, *there);
  }
  if (there && (flags & RENAME_NOREPLACE) != 0) throw answer_errno{EEXIST};
  if (there && there->is_directory() && !from.is_directory()) throw answer_errno{EISDIR};
  if (there && !there->is_directory() && from.is_directory()) throw answer_errno{ENOTDIR};
  if (there && there->is_directory() && !is_empty(tree, *there)) throw answer_errno{ENOTEMPTY};
  move_here(tree, from, parent, name, there);
  tree.archive.index().run(
      [&](index::transaction& t) { index::apply_rename(t, from.ino, parent, name, wall_nanoseconds()); });
}

}  // namespace

void rename_entry(merged_tree& tree, inode parent, const char* name, inode new_parent, const char* new_name,
                  unsigned flags) {
  if ((flags & ~static_cast<unsigned>(RENAME_NOREPLACE | RENAME_EXCHANGE)) != 0) throw answer_errno{EINVAL};
  refuse_own_directory(new_parent, new_name);
  const entry from = child_of(tree, parent, name);
  const rename_change changing{tree};
  record_written(tree, from.ino);
  rename_name(tree, from, new_parent, new_name, flags);
}

}  // namespace ferryfs::fs
