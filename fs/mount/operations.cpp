#include "fs/mount/operations.hpp"

#include <cerrno>

namespace ferryfs::fs {
namespace {

void init(void*, fuse_conn_info* conn) {
  // Attributes with every batch of names, not only where the kernel guesses that they will be asked for.
  conn->want |= conn->capable & (FUSE_CAP_READDIRPLUS | FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_ASYNC_READ |
                                 FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE | FUSE_CAP_CACHE_SYMLINKS);
  conn->want &= ~static_cast<unsigned>(FUSE_CAP_READDIRPLUS_AUTO);
  // Reads that are parked count as background requests: with libfuse's default of 12, as many missing pictures would
  // hold up everybody's read-ahead.
  conn->max_background = 4096;
  conn->congestion_threshold = 3072;
  conn->max_write = 1 << 20;
  conn->max_read = 0;
}

// The archive is not changed through this mount yet.
template <typename... Rest>
void read_only(fuse_req_t req, Rest...) {
  fuse_reply_err(req, EROFS);
}

fuse_lowlevel_ops table() {
  fuse_lowlevel_ops ops{};
  ops.init = init;
  ops.lookup = op_lookup;
  ops.forget = op_forget;
  ops.forget_multi = op_forget_multi;
  ops.getattr = op_getattr;
  ops.readlink = op_readlink;
  ops.statfs = op_statfs;
  ops.getxattr = op_getxattr;
  ops.listxattr = op_listxattr;
  ops.opendir = op_opendir;
  ops.readdir = op_readdir;
  ops.readdirplus = op_readdirplus;
  ops.releasedir = op_releasedir;
  ops.open = op_open;
  ops.read = op_read;
  ops.write = op_write;
  ops.release = op_release;
  ops.setattr = read_only;
  ops.mknod = read_only;
  ops.mkdir = read_only;
  ops.unlink = read_only;
  ops.rmdir = read_only;
  ops.symlink = read_only;
  ops.rename = read_only;
  ops.link = read_only;
  ops.create = read_only;
  ops.setxattr = read_only;
  ops.removexattr = read_only;
  ops.fallocate = read_only;
  return ops;
}

}  // namespace

const fuse_lowlevel_ops& operations() {
  static const fuse_lowlevel_ops ops = table();
  return ops;
}

}  // namespace ferryfs::fs
