// open, create and release.
#include <mutex>

#include "fs/mount/change/changes.hpp"
#include "fs/mount/kernel/read_ahead.hpp"
#include "fs/mount/kernel/reply.hpp"
#include "fs/mount/operations/entry_reply.hpp"
#include "fs/mount/operations/handles.hpp"
#include "fs/mount/operations/operations.hpp"
#include "fs/mount/operations/virtual_files.hpp"

namespace ferryfs::fs {

void op_open(fuse_req_t req, fuse_ino_t ino, fuse_file_info* fi) {
  answer(req, [&] {
    mount_context& v = mount_context::of(req);
    std::call_once(v.first_open, raise_read_ahead, v.mountpoint);
    if (v.virtual_files.holds(ino)) return open_virtual(req, v, ino, fi);
    const auto handle = open_picture(v.tree, ino, fi->flags);
    reply_handle(req, v.tree, handle, fi, [&] { return fuse_reply_open(req, fi); });
  });
}

void op_create(fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode, fuse_file_info* fi) {
  answer(req, [&] {
    mount_context& v = mount_context::of(req);
    v.refuse_virtual(parent);
    const auto made = create_picture(v.tree, caller_of(req), parent, name, mode, fi->flags);
    const auto p = parameters_of(made.entry.ino, made.entry.attributes);
    reply_handle(req, v.tree, made.handle, fi, [&] { return fuse_reply_create(req, &p, fi); });
  });
}

void op_release(fuse_req_t req, fuse_ino_t ino, fuse_file_info* fi) {
  answer(req, [&] {
    mount_context& v = mount_context::of(req);
    if (v.virtual_files.holds(ino)) {
      delete &virtual_handle_of(fi);
    } else {
      end_open(v.tree, handle_of(fi), backing_by(req));
    }
    fuse_reply_err(req, 0);
  });
}

}  // namespace ferryfs::fs
