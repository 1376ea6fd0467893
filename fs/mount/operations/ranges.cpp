// fallocate, copy_file_range, lseek.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "fs/mount/kernel/reply.hpp"
#include "fs/mount/operations/change_later.hpp"
#include "fs/mount/operations/handles.hpp"
#include "fs/mount/operations/operations.hpp"

namespace ferryfs::fs {

void op_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t offset, off_t length, fuse_file_info* fi) {
  answer(req, [&] {
    mount_context& v = mount_context::of(req);
    if (v.virtual_files.holds(ino)) throw answer_errno{EPERM};
    const handle_pointer handle = handle_of(fi);
    const auto allocate = [&v, ino, mode, offset, length](fuse_req_t q, const auto& file) {
      if (::fallocate(file->get(), mode, offset, length) != 0) throw answer_errno{errno};
      v.written.mark(ino, file);
      fuse_reply_err(q, 0);
    };
    if (const auto file = local_of(v, *handle)) return allocate(req, file);
    change_later(req, v, handle, allocate);
  });
}

// Where one of the two is not here, EXDEV: the kernel copies by reading and writing.
void op_copy_file_range(fuse_req_t req, fuse_ino_t from, off_t from_offset, fuse_file_info* from_fi, fuse_ino_t to,
                        off_t to_offset, fuse_file_info* to_fi, std::size_t length, int) {
  answer(req, [&] {
    mount_context& v = mount_context::of(req);
    if (v.virtual_files.holds(from) || v.virtual_files.holds(to)) throw answer_errno{EXDEV};
    const auto in = handle_of(from_fi)->file(), out = local_of(v, *handle_of(to_fi));
    if (!in || !out) throw answer_errno{EXDEV};
    const auto copied = ::copy_file_range(in->get(), &from_offset, out->get(), &to_offset, length, 0);
    if (copied < 0) throw answer_errno{errno};
    v.written.mark(to, out);
    fuse_reply_write(req, static_cast<std::size_t>(copied));
  });
}

// Of a missing picture all is data.
void op_lseek(fuse_req_t req, fuse_ino_t ino, off_t offset, int whence, fuse_file_info* fi) {
  answer(req, [&] {
    mount_context& v = mount_context::of(req);
    if (v.virtual_files.holds(ino)) throw answer_errno{EINVAL};
    off_t at = 0;
    if (const auto file = handle_of(fi)->file()) {
      at = ::lseek(file->get(), offset, whence);
      if (at < 0) throw answer_errno{errno};
    } else {
      const auto e = v.archive.readers().borrow()->by_inode(ino);
      if (!e || offset < 0 || offset >= static_cast<off_t>(e->shown().size)) throw answer_errno{ENXIO};
      at = whence == SEEK_HOLE ? static_cast<off_t>(e->shown().size) : offset;
    }
    fuse_reply_lseek(req, at);
  });
}

}  // namespace ferryfs::fs
