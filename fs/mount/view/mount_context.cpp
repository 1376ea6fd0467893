#include "fs/mount/view/mount_context.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include "index/base/time.hpp"

namespace ferryfs::fs {
namespace {

// Of a device, which only the disk knows the number of.
dev_t device_of(mount_context& v, inode ino) {
  const auto path = v.archive.readers().borrow()->path(ino);
  struct stat st {};
  if (path)
    if (const auto node = v.archive.where().open(*path, O_PATH | O_NOFOLLOW)) ::fstat(node.get(), &st);
  return st.st_rdev;
}

struct stat stat_of(mount_context& v, const entry& e) {
  const file_facts s = e.shown();
  struct stat st {};
  st.st_ino = e.ino;
  st.st_mode = s.mode & ~(S_ISLNK(s.mode) ? 0U : v.owner.umask);
  st.st_nlink = 1;  // of directories, too: "not known", which keeps find(1) from counting subdirectories by it
  st.st_uid = e.uid.value_or(v.owner.uid);
  st.st_gid = e.gid.value_or(v.owner.gid);
  st.st_size = static_cast<off_t>(S_ISLNK(s.mode) ? e.target.size() : s.size);
  st.st_blksize = 128 << 10;
  // As if all were here: with 0 blocks, tar and cp take a picture that is still away for a hole.
  st.st_blocks = (st.st_size + 511) / 512 - static_cast<blkcnt_t>(s.holes);
  st.st_mtim = to_timespec(s.mtime);
  st.st_atim = st.st_ctim = st.st_mtim;
  if (e.changed > s.mtime) st.st_ctim = to_timespec(e.changed);
  if (S_ISCHR(s.mode) || S_ISBLK(s.mode)) st.st_rdev = device_of(v, e.ino);
  return st;
}

}  // namespace

kernel_attributes attributes_of(mount_context& v, std::uint64_t generation, entry e) {
  while (true) {
    kernel_attributes shown{stat_of(v, e), e.is_unsized() ? 0 : cache_time};
    if (v.written.overlay(e.ino, shown.st)) return shown.timeout = 0, shown;
    const auto now = v.written.generation();
    if (now == generation) return shown;
    generation = now;
    auto again = v.archive.look([&](auto& rows) { return rows.by_inode(e.ino); });
    if (!again || is_hidden(again->state)) return shown.timeout = 0, shown;
    e = *std::move(again);
  }
}

std::optional<struct stat> attributes_of_removed(mount_context& v, inode ino) {
  struct stat st {};
  if (const auto file = v.open_pictures.find(ino); file && ::fstat(file->get(), &st) == 0) {
    st.st_ino = ino;
    return st;
  }
  const auto e = v.departed->removed.find(ino);
  if (!e) return std::nullopt;
  st = stat_of(v, *e);
  st.st_nlink = 0;
  return st;
}

fuse_entry_param parameters_of(mount_context& v, std::uint64_t generation, const entry& e) {
  const auto shown = attributes_of(v, generation, e);
  fuse_entry_param p{};
  p.ino = e.ino;
  p.attr = shown.st;
  p.attr_timeout = shown.timeout;
  p.entry_timeout = cache_time;
  return p;
}

}  // namespace ferryfs::fs
