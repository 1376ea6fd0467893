#include "fs/mount/view/attributes.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include "fs/mount/state/answer_errno.hpp"
#include "fs/mount/view/answers.hpp"
#include "index/base/time.hpp"

namespace ferryfs::fs {
namespace {

// Of a device, which only the disk knows the number of.
dev_t device_of(merged_tree& tree, inode ino) {
  const auto path = tree.archive.readers().borrow()->path(ino);
  struct stat st {};
  if (path)
    if (const auto node = tree.archive.where().open(*path, O_PATH | O_NOFOLLOW)) disk().fstat(node.get(), &st);
  return st.st_rdev;
}

struct stat stat_of(merged_tree& tree, const entry& e) {
  const file_facts s = e.shown();
  struct stat st {};
  st.st_ino = e.ino;
  st.st_mode = s.mode & ~(S_ISLNK(s.mode) ? 0U : tree.owner.umask);
  st.st_nlink = 1;  // of directories, too: "not known", which keeps find(1) from counting subdirectories by it
  st.st_uid = e.uid.value_or(tree.owner.uid);
  st.st_gid = e.gid.value_or(tree.owner.gid);
  st.st_size = static_cast<off_t>(S_ISLNK(s.mode) ? e.target.size() : s.size);
  st.st_blksize = 128 << 10;
  // As if all were here: with 0 blocks, tar and cp take a picture that is still away for a hole.
  st.st_blocks = (st.st_size + 511) / 512 - static_cast<blkcnt_t>(s.holes);
  st.st_mtim = to_timespec(s.mtime);
  st.st_atim = st.st_ctim = st.st_mtim;
  if (e.changed > s.mtime) st.st_ctim = to_timespec(e.changed);
  if (S_ISCHR(s.mode) || S_ISBLK(s.mode)) st.st_rdev = device_of(tree, e.ino);
  return st;
}

}  // namespace

kernel_attributes attributes_of(merged_tree& tree, std::uint64_t generation, entry e) {
  while (true) {
    kernel_attributes shown{stat_of(tree, e), e.is_unsized() ? 0 : cache_time};
    if (tree.written.overlay(e.ino, shown.st)) return shown.timeout = 0, shown;
    const auto now = tree.written.generation();
    if (now == generation) return shown;
    generation = now;
    auto again = tree.archive.look([&](auto& rows) { return rows.by_inode(e.ino); });
    if (!again || is_hidden(again->state)) return shown.timeout = 0, shown;
    e = *std::move(again);
  }
}

std::optional<struct stat> attributes_of_removed(merged_tree& tree, inode ino) {
  struct stat st {};
  if (const auto file = tree.open_pictures.find(ino); file && disk().fstat(file->get(), &st) == 0) {
    st.st_ino = ino;
    return st;
  }
  const auto e = tree.departed->removed.find(ino);
  if (!e) return std::nullopt;
  st = stat_of(tree, *e);
  st.st_nlink = 0;
  return st;
}

kernel_attributes attributes_now(merged_tree& tree, inode ino) {
  const auto generation = tree.written.generation();
  const auto e = tree.archive.readers().borrow()->by_inode(ino);
  if (!e || is_hidden(e->state)) throw answer_errno{ENOENT};
  return attributes_of(tree, generation, *e);
}

kernel_attributes attributes(merged_tree& tree, inode ino) {
  const auto generation = tree.written.generation();
  const auto e = tree.archive.look([&](auto& rows) { return rows.by_inode(ino); });
  if (e && !is_hidden(e->state)) return attributes_of(tree, generation, *e);
  const auto st = attributes_of_removed(tree, ino);
  if (!st) throw answer_errno{ENOENT};
  return {*st, 0};
}

}  // namespace ferryfs::fs
