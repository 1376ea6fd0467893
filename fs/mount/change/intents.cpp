#include "fs/mount/change/intents.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "fs/mount/kernel/reply.hpp"
#include "index/base/path.hpp"
#include "remote/destination/rename_recovery.hpp"

namespace ferryfs::fs {
namespace {

// Enters a change that is about to be made on the disk; after a crash the next start finds out whether it was.
void intend(mount_context& v, const index::rename_intent& r) {
  v.archive.index().run([&](index::transaction& t) {
    t.forget_rename(r.ino);
    t.intend_rename(r);
  });
}

// The same of an entry that gets another name. A power cut that leaves the disk's part alone would show what the source
// has of it under its old name again.
void intend_durably(mount_context& v, const entry& of, const index::rename_intent& r) {
  intend(v, r);
  if (!of.source && !of.is_directory()) return;
  try {
    v.archive.index().sync();
  } catch (...) {
    v.archive.index().run([&](index::transaction& t) { t.forget_rename(r.ino); });
    throw;
  }
}

std::string path_of_entry(mount_context& v, inode ino) {
  return v.archive.look([&](auto& rows) { return rows.path(ino); }).value_or("");
}

}  // namespace

std::optional<struct stat> on_disk(const unique_fd& directory, const char* name) {
  struct stat st {};
  const bool there = directory && ::fstatat(directory.get(), name, &st, AT_SYMLINK_NOFOLLOW) == 0;
  return there ? std::optional(st) : std::nullopt;
}

void fail_rename(mount_context& v, inode ino, int problem) {
  v.archive.index().run([&](index::transaction& t) { t.forget_rename(ino); });
  throw answer_errno{problem};
}

void remove_file(mount_context& v, const entry& whose, inode parent, const char* name, const unique_fd& directory) {
  const auto file = on_disk(directory, name);
  if (!file) return;
  const auto removal = index::rename_intent::removal(
      whose.ino, parent, name, remote::identity_of(directory.get(), name, remote::identity::exact),
      join(path_of_entry(v, parent), name));
  const bool goes_itself = whose.parent == parent && whose.name == name;
  goes_itself ? intend(v, removal) : intend_durably(v, whose, removal);
  if (::unlinkat(directory.get(), name, S_ISDIR(file->st_mode) ? AT_REMOVEDIR : 0) != 0 && errno != ENOENT)
    fail_rename(v, whose.ino, errno);
}

void intend_rename(mount_context& v, const entry& from, const unique_fd& at, inode parent, const std::string& name,
                   std::uint64_t replaced, inode exchanged) {
  index::rename_intent r{from.ino, parent, name, exchanged,
                         remote::identity_of(at.get(), from.name.c_str(), remote::identity::kept_by_rename)};
  r.old_parent = from.parent, r.replaced = replaced;
  r.old_path = path_of_entry(v, from.ino), r.new_path = join(path_of_entry(v, parent), name);
  intend_durably(v, from, r);
}

}  // namespace ferryfs::fs
