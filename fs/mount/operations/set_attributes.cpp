// setattr: of what is here on the disk and then in the index, of what is missing in the index until it arrives.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <system_error>

#include "fs/mount/change/hydrate.hpp"
#include "fs/mount/change/mutation.hpp"
#include "fs/mount/kernel/reply.hpp"
#include "fs/mount/operations/operations.hpp"
#include "index/base/clock.hpp"
#include "index/base/time.hpp"

namespace ferryfs::fs {
namespace {

constexpr int mtimes = FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_MTIME_NOW;
constexpr int times = mtimes | FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_ATIME_NOW;

struct request {
  struct stat to;
  int set;
};

timespec time_of(const timespec& given, int set, int wanted, int now) {
  if ((set & now) != 0) return {0, UTIME_NOW};
  if ((set & wanted) != 0) return given;
  return {0, UTIME_OMIT};
}

// Of what `fd` stands for, which may be an O_PATH descriptor: a symbolic link's own, never its target's.
void set_itself(int fd, const request& r) {
  if ((r.set & (FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID)) != 0) {
    const uid_t uid = (r.set & FUSE_SET_ATTR_UID) != 0 ? r.to.st_uid : static_cast<uid_t>(-1);
    const gid_t gid = (r.set & FUSE_SET_ATTR_GID) != 0 ? r.to.st_gid : static_cast<gid_t>(-1);
    if (::fchownat(fd, "", uid, gid, AT_EMPTY_PATH) != 0) throw answer_errno{errno};
  }
  if ((r.set & FUSE_SET_ATTR_MODE) != 0) change_mode(fd, r.to.st_mode);
  if ((r.set & times) == 0) return;
  const timespec both[] = {time_of(r.to.st_atim, r.set, FUSE_SET_ATTR_ATIME, FUSE_SET_ATTR_ATIME_NOW),
                           time_of(r.to.st_mtim, r.set, FUSE_SET_ATTR_MTIME, FUSE_SET_ATTR_MTIME_NOW)};
  if (::utimensat(fd, "", both, AT_EMPTY_PATH) != 0) throw answer_errno{errno};
}

std::int64_t mtime_of(const request& r) {
  if ((r.set & FUSE_SET_ATTR_MTIME_NOW) != 0) return wall_nanoseconds();
  return to_ns(r.to.st_mtim);
}

// Of what was removed and the kernel still holds.
void set_removed(fuse_req_t req, mount_context& v, inode ino, const request& r) {
  if (const auto file = v.open_pictures.find(ino)) {
    if ((r.set & FUSE_SET_ATTR_SIZE) != 0 && ::ftruncate(file->get(), r.to.st_size) != 0) throw answer_errno{errno};
    set_itself(file->get(), r);
  } else {
    v.departed->removed.change(ino, [&](entry& e) {
      if ((r.set & FUSE_SET_ATTR_MODE) != 0) e.set_mode = r.to.st_mode & 07777;
      if ((r.set & FUSE_SET_ATTR_UID) != 0) e.uid = r.to.st_uid;
      if ((r.set & FUSE_SET_ATTR_GID) != 0) e.gid = r.to.st_gid;
      if ((r.set & mtimes) != 0) e.set_mtime = mtime_of(r);
    });
  }
  const auto st = attributes_of_removed(v, ino);
  if (!st) throw answer_errno{ENOENT};
  fuse_reply_attr(req, &*st, 0);
}

// A directory.
void make_here(mount_context& v, inode ino) {
  const name_change changing{v};
  open_destination_directory(v, ino, true);
}

void truncate(mount_context& v, inode ino, const unique_fd& itself, off_t size) {
  const auto file =
      std::make_shared<unique_fd>(::open(proc_path(itself.get()).c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (!*file || ::ftruncate(file->get(), size) != 0) throw answer_errno{errno};
  v.written.mark(ino, file);
}

void set_local(mount_context& v, const entry& e, const request& r) {
  const name_change changing{v};
  const auto e_now = v.archive.readers().borrow()->by_inode(e.ino);
  if (!e_now || is_hidden(e_now->state)) throw answer_errno{ENOENT};
  const unique_fd itself = open_path_descriptor(v, *e_now);
  if ((r.set & FUSE_SET_ATTR_SIZE) != 0) truncate(v, e.ino, itself, r.to.st_size);
  if ((r.set & (FUSE_SET_ATTR_SIZE | mtimes)) != 0) record_written(v, e.ino);  // before a new time hides it
  if ((r.set & (FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID | FUSE_SET_ATTR_MODE | times)) == 0) return;
  set_itself(itself.get(), r);
  struct stat st {};
  v.archive.index().run([&](index::transaction& t) {
    if (::fstat(itself.get(), &st) != 0) throw std::system_error{errno, std::generic_category()};
    auto now = listed_of(v, st);
    // A directory's time on the disk changes with every picture that arrives: it is the index's, unless it is set.
    if (e_now->is_directory() && (r.set & mtimes) == 0) now.attributes.mtime = e_now->shown().mtime;
    // While it fills, its mode on the disk is its owner's alone.
    if (e_now->is_directory() && (r.set & FUSE_SET_ATTR_MODE) == 0) now.attributes.mode = e_now->shown().mode;
    index::apply_local_change(t, e.ino, now.attributes, now.uid, now.gid, false, wall_nanoseconds());
  });
  if ((r.set & mtimes) != 0) v.written.recorded(e.ino, st);
}

// False: it has arrived meanwhile.
bool set_missing(mount_context& v, const entry& e, const request& r) {
  index::deferred_attributes w;
  if ((r.set & FUSE_SET_ATTR_MODE) != 0) w.mode = r.to.st_mode & 07777;
  if ((r.set & FUSE_SET_ATTR_UID) != 0) w.uid = r.to.st_uid;
  if ((r.set & FUSE_SET_ATTR_GID) != 0) w.gid = r.to.st_gid;
  if ((r.set & mtimes) != 0) w.mtime = mtime_of(r);
  const name_change changing{v};  // a fetch that is about to end applies it, or is done
  return v.archive.index().run(
      [&](index::transaction& t) { return index::apply_deferred_attributes(t, e.ino, w, wall_nanoseconds()); });
}

void reply_now(fuse_req_t req, mount_context& v, inode ino) {
  const auto generation = v.written.generation();
  const auto e = v.archive.readers().borrow()->by_inode(ino);
  if (!e || is_hidden(e->state)) throw answer_errno{ENOENT};
  const auto shown = attributes_of(v, generation, *e);
  fuse_reply_attr(req, &shown.st, shown.timeout);
}

// True: the request is parked until the whole picture is here.
bool set_size_of_missing(fuse_req_t req, mount_context& v, const entry& e, const request& r) {
  if (r.to.st_size == 0) {
    replace_missing(v, e.ino);
    return false;
  }
  const auto parked = v.parked.park(req);
  attempt(parked, [&] {
    with_hydrated(v, e.ino, parked, [&v, parked, ino = e.ino, r] {
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
    mount_context& v = mount_context::of(req);
    if (v.virtual_files.holds(ino)) {  // `echo pause > control` truncates it first
      const auto attributes = v.virtual_files.attributes(ino);
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
