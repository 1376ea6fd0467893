// The operations of the mount, one topic a file, and the table that names them to libfuse. Each runs on any of
// libfuse's threads, answers from the index or a local file at once, or parks the request; none waits for the network.
// They take libfuse's arguments apart and reply; view/answers.hpp and change/changes.hpp do what is asked.
#pragma once

#include <fuse_lowlevel.h>

#include <cstddef>
#include <cstdint>

namespace ferryfs::fs {

const fuse_lowlevel_ops& operations();

// lookup.cpp
void op_lookup(fuse_req_t req, fuse_ino_t parent, const char* name);
void op_forget(fuse_req_t req, fuse_ino_t ino, std::uint64_t count);
void op_forget_multi(fuse_req_t req, std::size_t count, fuse_forget_data* forgets);
// attributes.cpp
void op_getattr(fuse_req_t req, fuse_ino_t ino, fuse_file_info* fi);
void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat* to, int set, fuse_file_info* fi);
void op_statfs(fuse_req_t req, fuse_ino_t ino);
// readlink.cpp
void op_readlink(fuse_req_t req, fuse_ino_t ino);
// xattr.cpp
void op_getxattr(fuse_req_t req, fuse_ino_t ino, const char* name, std::size_t size);
void op_listxattr(fuse_req_t req, fuse_ino_t ino, std::size_t size);
void op_setxattr(fuse_req_t req, fuse_ino_t ino, const char* name, const char* value, std::size_t size, int flags);
void op_removexattr(fuse_req_t req, fuse_ino_t ino, const char* name);
// directory.cpp
void op_opendir(fuse_req_t req, fuse_ino_t ino, fuse_file_info* fi);
void op_readdir(fuse_req_t req, fuse_ino_t ino, std::size_t size, off_t offset, fuse_file_info* fi);
void op_readdirplus(fuse_req_t req, fuse_ino_t ino, std::size_t size, off_t offset, fuse_file_info* fi);
// open.cpp
void op_open(fuse_req_t req, fuse_ino_t ino, fuse_file_info* fi);
void op_create(fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode, fuse_file_info* fi);
void op_release(fuse_req_t req, fuse_ino_t ino, fuse_file_info* fi);
// read.cpp
void op_read(fuse_req_t req, fuse_ino_t ino, std::size_t size, off_t offset, fuse_file_info* fi);
// names.cpp
void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode);
void op_symlink(fuse_req_t req, const char* target, fuse_ino_t parent, const char* name);
void op_mknod(fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode, dev_t device);
void op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char* name);
void op_unlink(fuse_req_t req, fuse_ino_t parent, const char* name);
void op_rmdir(fuse_req_t req, fuse_ino_t parent, const char* name);
void op_rename(fuse_req_t req, fuse_ino_t parent, const char* name, fuse_ino_t new_parent, const char* new_name,
               unsigned flags);
// write.cpp
void op_write_buf(fuse_req_t req, fuse_ino_t ino, fuse_bufvec* from, off_t offset, fuse_file_info* fi);
// sync.cpp
void op_flush(fuse_req_t req, fuse_ino_t ino, fuse_file_info* fi);
void op_fsync(fuse_req_t req, fuse_ino_t ino, int data_only, fuse_file_info* fi);
void op_fsyncdir(fuse_req_t req, fuse_ino_t ino, int data_only, fuse_file_info* fi);
// ranges.cpp
void op_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t offset, off_t length, fuse_file_info* fi);
void op_copy_file_range(fuse_req_t req, fuse_ino_t from, off_t from_offset, fuse_file_info* from_fi, fuse_ino_t to,
                        off_t to_offset, fuse_file_info* to_fi, std::size_t length, int flags);
void op_lseek(fuse_req_t req, fuse_ino_t ino, off_t offset, int whence, fuse_file_info* fi);

}  // namespace ferryfs::fs
