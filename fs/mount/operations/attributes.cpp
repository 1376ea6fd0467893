// getattr and statfs: from the index alone.
#include "fs/mount/kernel/reply.hpp"
#include "fs/mount/operations/operations.hpp"
#include "fs/mount/view/mount_context.hpp"

namespace ferryfs::fs {

void op_getattr(fuse_req_t req, fuse_ino_t ino, fuse_file_info*) {
  answer(req, [&] {
    mount_context& v = mount_context::of(req);
    if (v.virtual_files.holds(ino)) {
      const auto st = v.virtual_files.attributes(ino);
      if (!st) throw answer_errno{ENOENT};
      fuse_reply_attr(req, &*st, 0);
      return;
    }
    const auto generation = v.written.generation();
    const auto e = v.archive.look([&](auto& rows) { return rows.by_inode(ino); });
    if (e && !is_hidden(e->state)) {
      const auto shown = attributes_of(v, generation, *e);
      fuse_reply_attr(req, &shown.st, shown.timeout);
      return;
    }
    const auto st = attributes_of_removed(v, ino);
    if (!st) throw answer_errno{ENOENT};
    fuse_reply_attr(req, &*st, 0);
  });
}

void op_statfs(fuse_req_t req, fuse_ino_t) {
  answer(req, [&] {
    const struct statvfs s = mount_context::of(req).archive.where().space();
    fuse_reply_statfs(req, &s);
  });
}

}  // namespace ferryfs::fs
