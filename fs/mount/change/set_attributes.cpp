// setattr: of what is here on the disk and then in the index, of what is missing in the index until it arrives.
#include <fcntl.h>
#include <sys/stat.h>

#include <system_error>

#include "fs/mount/change/changes.hpp"
#include "fs/mount/change/mutation.hpp"
#include "fs/mount/state/answer_errno.hpp"
#include "index/base/clock.hpp"
#include "index/base/time.hpp"

namespace ferryfs::fs {
namespace {

// Of what `fd` stands for, which may be an O_PATH descriptor: a symbolic link's own, never its target's.
void set_itself(int fd, const attribute_changes& to) {
  constexpr auto keep = static_cast<uid_t>(-1);
  if ((to.uid || to.gid) && disk().fchownat(fd, "", to.uid.value_or(keep), to.gid.value_or(keep), AT_EMPTY_PATH) != 0)
    throw answer_errno{errno};
  if (to.mode) change_mode(fd, *to.mode);
  if (!to.atime && !to.mtime) return;
  constexpr timespec omitted{0, UTIME_OMIT};
  const timespec both[] = {to.atime.value_or(omitted), to.mtime.value_or(omitted)};
  if (disk().utimensat(fd, "", both, AT_EMPTY_PATH) != 0) throw answer_errno{errno};
}

std::int64_t in_index(const timespec& time) { return time.tv_nsec == UTIME_NOW ? wall_nanoseconds() : to_ns(time); }

// Of what was removed and the kernel still holds.
kernel_attributes set_removed(merged_tree& tree, inode ino, const attribute_changes& to) {
  if (const auto file = tree.open_pictures.find(ino)) {
    if (to.size && disk().ftruncate(file->get(), *to.size) != 0) throw answer_errno{errno};
    set_itself(file->get(), to);
  } else {
    tree.departed->removed.change(ino, [&](entry& e) {
      if (to.mode) e.set_mode = *to.mode & 07777;
      if (to.uid) e.uid = *to.uid;
      if (to.gid) e.gid = *to.gid;
      if (to.mtime) e.set_mtime = in_index(*to.mtime);
    });
  }
  const auto st = attributes_of_removed(tree, ino);
  if (!st) throw answer_errno{ENOENT};
  return {*st, 0};
}

// A directory.
void make_here(merged_tree& tree, inode ino) {
  const name_change changing{tree};
  open_destination_directory(tree, ino, true);
}

void truncate(merged_tree& tree, inode ino, const unique_fd& itself, off_t size) {
  const auto file =
      std::make_shared<unique_fd>(disk().open(proc_path(itself.get()).c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (!*file || disk().ftruncate(file->get(), size) != 0) throw answer_errno{errno};
  tree.written.mark(ino, file);
}

void set_local(merged_tree& tree, const entry& e, const attribute_changes& to) {
  const name_change changing{tree};
  const auto e_now = tree.archive.readers().borrow()->by_inode(e.ino);
  if (!e_now || is_hidden(e_now->state)) throw answer_errno{ENOENT};
  const unique_fd itself = open_path_descriptor(tree, *e_now);
  if (to.size) truncate(tree, e.ino, itself, *to.size);
  if (to.size || to.mtime) record_written(tree, e.ino);  // before a new time hides it
  if (!to.uid && !to.gid && !to.mode && !to.atime && !to.mtime) return;
  set_itself(itself.get(), to);
  struct stat st {};
  tree.archive.index().run([&](index::transaction& t) {
    if (disk().fstat(itself.get(), &st) != 0) throw std::system_error{errno, std::generic_category()};
    auto now = listed_of(tree, st);
    // A directory's time on the disk changes with every picture that arrives: it is the index's, unless it is set.
    if (e_now->is_directory() && !to.mtime) now.attributes.mtime = e_now->shown().mtime;
    // While it fills, its mode on the disk is its owner's alone.
    if (e_now->is_directory() && !to.mode) now.attributes.mode = e_now->shown().mode;
    index::apply_local_change(t, e.ino, now.attributes, now.uid, now.gid, false, wall_nanoseconds());
  });
  if (to.mtime) tree.written.recorded(e.ino, st);
}

// False: it has arrived meanwhile.
bool set_missing(merged_tree& tree, const entry& e, const attribute_changes& to) {
  index::deferred_attributes w;
  if (to.mode) w.mode = *to.mode & 07777;
  if (to.uid) w.uid = *to.uid;
  if (to.gid) w.gid = *to.gid;
  if (to.mtime) w.mtime = in_index(*to.mtime);
  const name_change changing{tree};  // a fetch that is about to end applies it, or is done
  return tree.archive.index().run(
      [&](index::transaction& t) { return index::apply_deferred_attributes(t, e.ino, w, wall_nanoseconds()); });
}

}  // namespace

std::optional<kernel_attributes> set_attributes(merged_tree& tree, inode ino, const attribute_changes& to) {
  record_written(tree, ino);
  const auto e = tree.archive.readers().borrow()->by_inode(ino);
  if (!e || is_hidden(e->state)) return set_removed(tree, ino, to);
  if (to.size && !e->is_local() && S_ISREG(e->shown().mode)) {
    if (*to.size != 0) return std::nullopt;
    replace_missing(tree, ino);
    attribute_changes rest = to;
    rest.size.reset();
    set_local(tree, *e, rest);
  } else if (e->is_directory()) {
    make_here(tree, ino);
    set_local(tree, *e, to);
  } else if (e->is_local() || !set_missing(tree, *e, to)) {
    set_local(tree, *e, to);
  }
  return attributes_now(tree, ino);
}

kernel_attributes set_attributes_of_hydrated(merged_tree& tree, inode ino, const attribute_changes& to) {
  const auto e = tree.archive.readers().borrow()->by_inode(ino);
  if (!e) throw answer_errno{ENOENT};
  set_local(tree, *e, to);
  return attributes_now(tree, ino);
}

}  // namespace ferryfs::fs
