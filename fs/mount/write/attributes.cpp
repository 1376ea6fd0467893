// setattr: of what is here on the disk and then in the index, of what is missing in the index until it arrives.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/mount/operations.hpp"
#include "fs/mount/reply.hpp"
#include "fs/mount/write/place.hpp"
#include "fs/mount/write/whole.hpp"

namespace ferryfs::fs {
namespace {

constexpr int times = FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_MTIME_NOW | FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_ATIME_NOW;

struct request {
  struct stat to;
  int set;
};

timespec time_of(const timespec& given, int set, int wanted, int now) {
  if ((set & now) != 0) return {0, UTIME_NOW};
  if ((set & wanted) != 0) return given;
  return {0, UTIME_OMIT};
}

// On the disk, by its name: a symbolic link's own, never its target's. Empty name: of the directory itself.
void set_here(int directory, const char* name, const request& r) {
  const int itself = *name == '\0' ? AT_EMPTY_PATH : 0;
  if ((r.set & (FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID)) != 0) {
    const uid_t uid = (r.set & FUSE_SET_ATTR_UID) != 0 ? r.to.st_uid : static_cast<uid_t>(-1);
    const gid_t gid = (r.set & FUSE_SET_ATTR_GID) != 0 ? r.to.st_gid : static_cast<gid_t>(-1);
    if (::fchownat(directory, name, uid, gid, AT_SYMLINK_NOFOLLOW | itself) != 0) throw answer_errno{errno};
  }
  if ((r.set & FUSE_SET_ATTR_MODE) != 0) {
    const mode_t mode = r.to.st_mode & 07777;
    if ((itself != 0 ? ::fchmod(directory, mode) : ::fchmodat(directory, name, mode, 0)) != 0)
      throw answer_errno{errno};
  }
  if ((r.set & times) == 0) return;
  const timespec both[] = {time_of(r.to.st_atim, r.set, FUSE_SET_ATTR_ATIME, FUSE_SET_ATTR_ATIME_NOW),
                           time_of(r.to.st_mtim, r.set, FUSE_SET_ATTR_MTIME, FUSE_SET_ATTR_MTIME_NOW)};
  const int result =
      itself != 0 ? ::futimens(directory, both) : ::utimensat(directory, name, both, AT_SYMLINK_NOFOLLOW);
  if (result != 0) throw answer_errno{errno};
}

// Of a file that was removed and is still open.
void set_removed(fuse_req_t req, view& v, inode ino, const request& r) {
  const auto file = v.opened.find(ino);
  struct stat st {};
  if (!file) throw answer_errno{ENOENT};
  if ((r.set & FUSE_SET_ATTR_SIZE) != 0 && ::ftruncate(file->get(), r.to.st_size) != 0) throw answer_errno{errno};
  set_here(file->get(), "", r);
  if (::fstat(file->get(), &st) != 0) throw answer_errno{errno};
  st.st_ino = ino;
  fuse_reply_attr(req, &st, 0);
}

// A directory.
void make_here(view& v, inode ino) {
  const name_change changing{v};
  directory_here(v, ino, true);
}

void set_local(view& v, const entry& e, const request& r) {
  const name_change changing{v};
  const auto e_now = v.archive.readers().borrow()->by_inode(e.ino);
  if (!e_now || is_hidden(e_now->state)) throw answer_errno{ENOENT};
  const bool root = e.ino == root_inode;
  const auto directory = directory_here(v, root ? e.ino : e_now->parent, false);
  if (!directory) throw answer_errno{ENOENT};
  const char* name = root ? "" : e_now->name.c_str();
  if ((r.set & FUSE_SET_ATTR_SIZE) != 0) {
    const unique_fd file{::openat(directory.get(), name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)};
    if (!file || ::ftruncate(file.get(), r.to.st_size) != 0) throw answer_errno{errno};
  }
  constexpr int mtimes = FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_MTIME_NOW;
  if ((r.set & mtimes) != 0) record_written(v, e.ino);  // which the new time would hide
  set_here(directory.get(), name, r);
  if ((r.set & mtimes) != 0) v.written.time_set(e.ino);
  auto now = look_here(v, directory.get(), name);
  // A directory's time on the disk changes with every picture that arrives: it is the index's, unless it is set.
  if (e_now->is_directory() && (r.set & (FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_MTIME_NOW)) == 0)
    now.attributes.mtime = e_now->shown().mtime;
  // While it fills, its mode on the disk is its owner's alone.
  if (e_now->is_directory() && (r.set & FUSE_SET_ATTR_MODE) == 0) now.attributes.mode = e_now->shown().mode;
  record_attributes(v, e.ino, now, (r.set & FUSE_SET_ATTR_SIZE) != 0);
}

// False: it has arrived meanwhile.
bool set_missing(view& v, const entry& e, const request& r) {
  index::wish w;
  if ((r.set & FUSE_SET_ATTR_MODE) != 0) w.mode = r.to.st_mode & 07777;
  if ((r.set & FUSE_SET_ATTR_UID) != 0) w.uid = r.to.st_uid;
  if ((r.set & FUSE_SET_ATTR_GID) != 0) w.gid = r.to.st_gid;
  if ((r.set & FUSE_SET_ATTR_MTIME_NOW) != 0)
    w.mtime = now_ns();
  else if ((r.set & FUSE_SET_ATTR_MTIME) != 0)
    w.mtime = r.to.st_mtim.tv_sec * 1'000'000'000LL + r.to.st_mtim.tv_nsec;
  const name_change changing{v};  // a fetch that is about to end applies it, or is done
  return v.archive.index().run([&](index::transaction& t) { return index::record_wish(t, e.ino, w, now_ns()); });
}

void reply_now(fuse_req_t req, view& v, inode ino) {
  const auto e = v.archive.readers().borrow()->by_inode(ino);
  if (!e || is_hidden(e->state)) throw answer_errno{ENOENT};
  const struct stat st = attributes_of(v, *e);
  fuse_reply_attr(req, &st, cache_time);
}

// True: the request is parked until the whole picture is here.
bool set_size_of_missing(fuse_req_t req, view& v, const entry& e, const request& r) {
  if (r.to.st_size == 0) {
    replace_missing(v, e.ino);
    return false;
  }
  const auto parked = v.parked.park(req);
  attempt(parked, [&] {
    when_whole(v, e.ino, parked, [&v, parked, ino = e.ino, r] {
      parked->answer([&](fuse_req_t q) {
        answer(q, [&] {
          const auto now = v.archive.readers().borrow()->by_inode(ino);
          if (!now) throw answer_errno{ENOENT};
          set_local(v, *now, r);
          reply_now(q, v, ino);
        });
      });
    });
  });
  return true;
}

}  // namespace

void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat* to, int set, fuse_file_info*) {
  answer(req, [&] {
    view& v = view::of(req);
    if (v.own.holds(ino)) {  // `echo pause > control` truncates it first
      const auto attributes = v.own.attributes(ino);
      if (!attributes) throw answer_errno{ENOENT};
      const struct stat st = *attributes;
      fuse_reply_attr(req, &st, 0);
      return;
    }
    record_written(v, ino);
    const auto e = v.archive.readers().borrow()->by_inode(ino);
    request r{*to, set};
    if (!e || is_hidden(e->state)) return set_removed(req, v, ino, r);
    if ((set & FUSE_SET_ATTR_SIZE) != 0 && !e->is_local() && S_ISREG(e->shown().mode)) {
      if (set_size_of_missing(req, v, *e, r)) return;
      r.set &= ~FUSE_SET_ATTR_SIZE;
      set_local(v, *e, r);
    } else if (e->is_directory()) {
      make_here(v, ino);
      set_local(v, *e, r);
    } else if (e->is_local() || !set_missing(v, *e, r)) {
      set_local(v, *e, r);
    }
    reply_now(req, v, ino);
  });
}

}  // namespace ferryfs::fs
