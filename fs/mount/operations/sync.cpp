// flush, fsync, fsyncdir.
#include "fs/mount/change/changes.hpp"
#include "fs/mount/kernel/reply.hpp"
#include "fs/mount/operations/handles.hpp"
#include "fs/mount/operations/operations.hpp"

namespace ferryfs::fs {

void op_flush(fuse_req_t req, fuse_ino_t ino, fuse_file_info*) {
  answer(req, [&] {
    mount_context& v = mount_context::of(req);
    if (!v.virtual_files.holds(ino)) record_written(v.tree, ino);
    fuse_reply_err(req, 0);
  });
}

void op_fsync(fuse_req_t req, fuse_ino_t ino, int data_only, fuse_file_info* fi) {
  answer(req, [&] {
    mount_context& v = mount_context::of(req);
    if (!v.virtual_files.holds(ino)) sync_picture(v.tree, *handle_of(fi), data_only != 0);
    fuse_reply_err(req, 0);
  });
}

void op_fsyncdir(fuse_req_t req, fuse_ino_t ino, int, fuse_file_info*) {
  answer(req, [&] {
    mount_context& v = mount_context::of(req);
    if (!v.virtual_files.holds(ino)) sync_directory(v.tree, ino);
    fuse_reply_err(req, 0);
  });
}

}  // namespace ferryfs::fs
