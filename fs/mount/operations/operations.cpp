#include "fs/mount/operations/operations.hpp"

#include <cerrno>

#include "fs/mount/kernel/passthrough.hpp"
#include "fs/mount/operations/mount_context.hpp"

namespace ferryfs::fs {
namespace {

#if FUSE_USE_VERSION >= 317
void want(fuse_conn_info* conn, std::uint64_t feature) { fuse_set_feature_flag(conn, feature); }
void refuse(fuse_conn_info* conn, std::uint64_t feature) { fuse_unset_feature_flag(conn, feature); }
#else
void want(fuse_conn_info* conn, unsigned feature) { conn->want |= conn->capable & feature; }
void refuse(fuse_conn_info* conn, unsigned feature) { conn->want &= ~feature; }
#endif

void init(void* data, fuse_conn_info* conn) {
  // Attributes with every batch of names, not only where the kernel guesses that they will be asked for.
  for (const auto feature : {FUSE_CAP_READDIRPLUS, FUSE_CAP_PARALLEL_DIROPS, FUSE_CAP_ASYNC_READ, FUSE_CAP_SPLICE_WRITE,
                             FUSE_CAP_SPLICE_MOVE})
    want(conn, feature);
  // Where a link of the source leads is judged whenever it is followed: the kernel is not to keep it.
  refuse(conn, FUSE_CAP_CACHE_SYMLINKS);
  refuse(conn, FUSE_CAP_READDIRPLUS_AUTO);
  // After an asynchronous O_DIRECT write the kernel drops the pages before the write has ended, and may keep what a
  // reader brought back meanwhile (fs/fuse/file.c, fuse_direct_IO; xfstests generic/451).
  refuse(conn, FUSE_CAP_ASYNC_DIO);
  ask_for_passthrough(static_cast<mount_context*>(data)->tree.passthrough, conn);
  // Reads that are parked count as background requests: with libfuse's default of 12, as many missing pictures would
  // hold up everybody's read-ahead.
  conn->max_background = 4096;
  conn->congestion_threshold = 3072;
  conn->max_write = 1 << 20;
  conn->max_read = 0;
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
  ops.setxattr = op_setxattr;
  ops.removexattr = op_removexattr;
  ops.opendir = op_opendir;
  ops.readdir = op_readdir;
  ops.readdirplus = op_readdirplus;
  ops.open = op_open;
  ops.read = op_read;
  ops.release = op_release;
  ops.setattr = op_setattr;
  ops.mknod = op_mknod;
  ops.mkdir = op_mkdir;
  ops.unlink = op_unlink;
  ops.rmdir = op_rmdir;
  ops.symlink = op_symlink;
  ops.rename = op_rename;
  ops.link = op_link;
  ops.create = op_create;
  ops.write_buf = op_write_buf;
  ops.flush = op_flush;
  ops.fsync = op_fsync;
  ops.fsyncdir = op_fsyncdir;
  ops.fallocate = op_fallocate;
  ops.copy_file_range = op_copy_file_range;
  ops.lseek = op_lseek;
  return ops;
}

}  // namespace

const fuse_lowlevel_ops& operations() {
  static const fuse_lowlevel_ops ops = table();
  return ops;
}

}  // namespace ferryfs::fs
