// mkdir, symlink, mknod, link: a name is made on the destination's disk, then in the index.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "fs/mount/change/mutation.hpp"
#include "fs/mount/change/unfinished_file.hpp"
#include "fs/mount/kernel/reply.hpp"
#include "fs/mount/operations/operations.hpp"
#include "index/base/clock.hpp"

namespace ferryfs::fs {
namespace {

// `make(directory)` makes `name` on the disk, for ferryfs's user alone where it is to get a `mode`; the index and the
// kernel learn of it. `removal_flags`: of unlinkat(2), to remove it where one of these fails.
template <typename Make>
void make_name(fuse_req_t req, fuse_ino_t parent, const char* name, std::optional<mode_t> mode,
               const std::string& target, int removal_flags, Make&& make) {
  mount_context& v = mount_context::of(req);
  refuse_virtual(v, parent, name);
  const entry directory = visible_entry(v, parent);
  inode ino = 0;
  {
    const name_change changing{v};
    const auto here = open_destination_directory(v, parent, true);
    if (make(here.get()) != 0) throw answer_errno{errno};
    unfinished_file unfinished{here.get(), name, removal_flags};
    chown_new(v, req, directory, here.get(), name);
    // Last: a new owner takes set-user-id away.
    if (mode) change_mode(unique_fd{::openat(here.get(), name, O_PATH | O_NOFOLLOW | O_CLOEXEC)}.get(), *mode);
    const auto now = stat_destination(v, here.get(), name, target);
    ino = v.archive.index().run([&](index::transaction& t) {
      return index::apply_creation(t, {parent, name, now.attributes, now.uid, now.gid, target}, wall_nanoseconds());
    });
    unfinished.keep();
  }
  reply_entry(req, v, ino);
}

}  // namespace

void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode) {
  answer(req, [&] {
    mount_context& v = mount_context::of(req);
    refuse_virtual(v, parent, name);
    const mode_t inherited = visible_entry(v, parent).shown().mode & S_ISGID;
    make_name(req, parent, name, mode | inherited, "", AT_REMOVEDIR, [&](int at) { return ::mkdirat(at, name, 0700); });
  });
}

void op_symlink(fuse_req_t req, const char* target, fuse_ino_t parent, const char* name) {
  answer(req,
         [&] { make_name(req, parent, name, {}, target, 0, [&](int at) { return ::symlinkat(target, at, name); }); });
}

void op_mknod(fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode, dev_t device) {
  answer(req, [&] {
    make_name(req, parent, name, mode, "", 0,
              [&](int at) { return ::mknodat(at, name, (mode & S_IFMT) | 0600, device); });
  });
}

// One name a picture: a second one would be fetched, counted and compared as another.
void op_link(fuse_req_t req, fuse_ino_t, fuse_ino_t, const char*) { fuse_reply_err(req, EPERM); }

}  // namespace ferryfs::fs
