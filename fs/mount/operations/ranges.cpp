// fallocate, copy_file_range, lseek.
#include <cerrno>

#include "fs/mount/change/changes.hpp"
#include "fs/mount/kernel/reply.hpp"
#include "fs/mount/operations/change_later.hpp"
#include "fs/mount/operations/handles.hpp"
#include "fs/mount/operations/operations.hpp"

namespace ferryfs::fs {

void op_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t offset, off_t length, fuse_file_info* fi) {
  answer(req, [&] {
    mount_context& v = mount_context::of(req);
    v.refuse_virtual(ino);
    const handle_pointer handle = handle_of(fi);
    const auto allocate = [&v, handle, mode, offset, length](fuse_req_t q, const auto& file) {
      allocate_range(v.tree, *handle, file, mode, offset, length);
      fuse_reply_err(q, 0);
    };
    if (const auto file = file_to_change(v.tree, *handle)) return allocate(req, file);
    change_later(req, v, handle, allocate);
  });
}

void op_copy_file_range(fuse_req_t req, fuse_ino_t from, off_t from_offset, fuse_file_info* from_fi, fuse_ino_t to,
                        off_t to_offset, fuse_file_info* to_fi, std::size_t length, int) {
  answer(req, [&] {
    mount_context& v = mount_context::of(req);
    if (v.virtual_files.holds(from) || v.virtual_files.holds(to)) throw answer_errno{EXDEV};
    fuse_reply_write(req, copy_range(v.tree, *handle_of(from_fi), from_offset, *handle_of(to_fi), to_offset, length));
  });
}

void op_lseek(fuse_req_t req, fuse_ino_t ino, off_t offset, int whence, fuse_file_info* fi) {
  answer(req, [&] {
    mount_context& v = mount_context::of(req);
    if (v.virtual_files.holds(ino)) throw answer_errno{EINVAL};
    fuse_reply_lseek(req, seek(v.tree, *handle_of(fi), offset, whence));
  });
}

}  // namespace ferryfs::fs
