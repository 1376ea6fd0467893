// unlink, rmdir: first on the destination's disk, then in the index. A name that is only on the source has nothing on
// the disk: the index alone changes, and nothing is fetched.
#include <cerrno>

#include "fs/mount/change/intents.hpp"
#include "fs/mount/change/mutation.hpp"
#include "fs/mount/kernel/reply.hpp"
#include "fs/mount/operations/operations.hpp"
#include "index/base/clock.hpp"

namespace ferryfs::fs {
namespace {

void remove_name(fuse_req_t req, fuse_ino_t parent, const char* name, bool directory) {
  mount_context& v = mount_context::of(req);
  const entry e = child_of(v, parent, name);
  if (directory && !e.is_directory()) throw answer_errno{ENOTDIR};
  if (!directory && e.is_directory()) throw answer_errno{EISDIR};
  const name_change changing{v};
  if (directory && !is_empty(v, e)) throw answer_errno{ENOTEMPTY};
  remove_file(v, e, parent, name, open_destination_directory(v, parent, false));
  v.archive.index().run([&](index::transaction& t) { index::apply_removal(t, e.ino, wall_nanoseconds()); });
}

}  // namespace

void op_unlink(fuse_req_t req, fuse_ino_t parent, const char* name) {
  answer(req, [&] {
    remove_name(req, parent, name, false);
    fuse_reply_err(req, 0);
  });
}

void op_rmdir(fuse_req_t req, fuse_ino_t parent, const char* name) {
  answer(req, [&] {
    remove_name(req, parent, name, true);
    fuse_reply_err(req, 0);
  });
}

}  // namespace ferryfs::fs
