// write.
#include <memory>
#include <string>

#include "fs/mount/change/changes.hpp"
#include "fs/mount/change/queued_bytes.hpp"
#include "fs/mount/kernel/reply.hpp"
#include "fs/mount/operations/change_later.hpp"
#include "fs/mount/operations/handles.hpp"
#include "fs/mount/operations/operations.hpp"
#include "fs/mount/operations/virtual_files.hpp"

namespace ferryfs::fs {
namespace {

std::string bytes_of(fuse_bufvec* from) {
  std::string bytes(fuse_buf_size(from), '\0');
  fuse_bufvec to = FUSE_BUFVEC_INIT(bytes.size());
  to.buf[0].mem = bytes.data();
  const auto copied = fuse_buf_copy(&to, from, static_cast<fuse_buf_copy_flags>(0));
  if (copied < 0) throw answer_errno{static_cast<int>(-copied)};
  bytes.resize(static_cast<std::size_t>(copied));
  return bytes;
}

void write_later(fuse_req_t req, mount_context& v, const handle_pointer& handle, std::string bytes, off_t offset) {
  change_later(
      req, v, handle,
      [&v, handle, queued = std::make_shared<queued_bytes>(std::move(bytes)), offset](fuse_req_t q, const auto& whole) {
        fuse_reply_write(q, write_bytes(v.tree, *handle, whole, queued->get(), offset));
      });
}

}  // namespace

void op_write_buf(fuse_req_t req, fuse_ino_t ino, fuse_bufvec* from, off_t offset, fuse_file_info* fi) {
  answer(req, [&] {
    mount_context& v = mount_context::of(req);
    if (v.virtual_files.holds(ino)) return write_virtual(req, v, bytes_of(from), fi);
    const handle_pointer handle = handle_of(fi);
    const auto file = file_to_change(v.tree, *handle);
    if (!file) return write_later(req, v, handle, bytes_of(from), offset);
    fuse_bufvec to = FUSE_BUFVEC_INIT(fuse_buf_size(from));
    to.buf[0].flags = static_cast<fuse_buf_flags>(FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK);
    to.buf[0].fd = file->get();
    to.buf[0].pos = offset;
    const auto written = write_by(v.tree, *handle, file, offset,
                                  [&] { return fuse_buf_copy(&to, from, static_cast<fuse_buf_copy_flags>(0)); });
    if (written < 0) throw answer_errno{static_cast<int>(-written)};
    fuse_reply_write(req, static_cast<std::size_t>(written));
  });
}

}  // namespace ferryfs::fs
