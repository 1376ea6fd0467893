#include "fs/mount/change/intents.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "fs/mount/state/answer_errno.hpp"
#include "index/base/path.hpp"
#include "remote/destination/rename_recovery.hpp"

namespace ferryfs::fs {
namespace {

// Enters a change that is about to be made on the disk; after a crash the next start finds out whether it was.
void intend(merged_tree& tree, const index::rename_intent& r) {
  tree.archive.index().run([&](index::transaction& t) {
    t.forget_rename(r.ino);
    t.intend_rename(r);
  });
}

// The same of an entry that gets another name. A power cut that leaves the disk's part alone would show what the source
// has of it under its old name again.
void intend_durably(merged_tree& tree, const entry& of, const index::rename_intent& r) {
  intend(tree, r);
  if (!of.source && !of.is_directory()) return;
  try {
    tree.archive.index().sync();
  } catch (...) {
    tree.archive.index().run([&](index::transaction& t) { t.forget_rename(r.ino); });
    throw;
  }
}

std::string path_of_entry(merged_tree& tree, inode ino) {
  return tree.archive.look([&](auto& rows) { return rows.path(ino); }).value_or("");
}

}  // namespace

std::optional<struct stat> on_disk(const unique_fd& directory, const char* name) {
  struct stat st {};
  if (!directory) return std::nullopt;
  if (disk().fstatat(directory.get(), name, &st, AT_SYMLINK_NOFOLLOW) == 0) return st;
  if (errno != ENOENT) throw answer_errno{errno};  // a name that can't be looked at is not one that is not there
  return std::nullopt;
}

void fail_rename(merged_tree& tree, inode ino, int problem) {
  tree.archive.index().run([&](index::transaction& t) { t.forget_rename(ino); });
  throw answer_errno{problem};
}

void remove_file(merged_tree& tree, const entry& whose, inode parent, const char* name, const unique_fd& directory) {
  const auto file = on_disk(directory, name);
  if (!file) return;
  const auto removal = index::rename_intent::removal(
      whose.ino, parent, name, remote::identity_of(directory.get(), name, remote::identity::exact),
      join(path_of_entry(tree, parent), name));
  const bool goes_itself = whose.parent == parent && whose.name == name;
  goes_itself ? intend(tree, removal) : intend_durably(tree, whose, removal);
  if (disk().unlinkat(directory.get(), name, S_ISDIR(file->st_mode) ? AT_REMOVEDIR : 0) != 0 && errno != ENOENT)
    fail_rename(tree, whose.ino, errno);
}

void intend_rename(merged_tree& tree, const entry& from, const unique_fd& at, inode parent, const std::string& name,
                   std::uint64_t replaced, inode exchanged) {
  index::rename_intent r{from.ino, parent, name, exchanged,
                         remote::identity_of(at.get(), from.name.c_str(), remote::identity::kept_by_rename)};
  r.old_parent = from.parent, r.replaced = replaced;
  r.old_path = path_of_entry(tree, from.ino), r.new_path = join(path_of_entry(tree, parent), name);
  intend_durably(tree, from, r);
}

}  // namespace ferryfs::fs
