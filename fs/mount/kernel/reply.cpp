#include "fs/mount/kernel/reply.hpp"

namespace ferryfs::fs {

void reply_from(fuse_req_t req, int fd, std::size_t size, off_t offset) {
  fuse_bufvec buffers = FUSE_BUFVEC_INIT(size);
  buffers.buf[0].flags = static_cast<fuse_buf_flags>(FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK);
  buffers.buf[0].fd = fd;
  buffers.buf[0].pos = offset;
  fuse_reply_data(req, &buffers, FUSE_BUF_SPLICE_MOVE);
}

}  // namespace ferryfs::fs
