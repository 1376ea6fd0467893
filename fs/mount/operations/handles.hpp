// Open pictures: what the kernel's file handles stand for, from the answer of open to release.
#pragma once

#include "fs/mount/change/changes.hpp"
#include "fs/mount/kernel/passthrough.hpp"
#include "fs/mount/operations/mount_context.hpp"

namespace ferryfs::fs {

// The kernel's handle is the address; from open to release it is merged_tree::open_pictures that keeps the file.
inline handle_pointer handle_of(const fuse_file_info* fi) {
  return reinterpret_cast<open_file*>(fi->fh)->shared_from_this();
}

// Lets the kernel use `handle`, and answers its open by `reply`, which returns 0 where the kernel takes it, and will
// release it.
template <typename Reply>
void reply_handle(fuse_req_t req, merged_tree& tree, const handle_pointer& handle, fuse_file_info* fi, Reply&& reply) {
  try {
    tell_mode(fi, begin_open(tree, handle, fi->flags, backing_by(req)));
  } catch (...) {
    refuse_open(tree, handle);
    throw;
  }
  fi->fh = reinterpret_cast<std::uint64_t>(handle.get());
  if (reply() != 0) abandon_open(tree, handle, backing_by(nullptr));
}

}  // namespace ferryfs::fs
