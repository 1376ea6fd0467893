// Open pictures: what the kernel's file handles stand for, from the answer of open to release.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "fs/mount/state/open_file.hpp"
#include "fs/mount/view/mount_context.hpp"

namespace ferryfs::fs {

using handle_pointer = std::shared_ptr<open_file>;
// The kernel's handle is the address; from open to release mount_context::open_pictures keeps the file.
inline handle_pointer handle_of(const fuse_file_info* fi) {
  return reinterpret_cast<open_file*>(fi->fh)->shared_from_this();
}

// Lets the kernel read and write `handle`, which is among those that are open, by the way that `fi` then names.
void begin_open(fuse_req_t req, mount_context& v, const handle_pointer& handle, fuse_file_info* fi);
// The end of that; enters what was written in the index. `req` is null where it has been answered.
void end_open(fuse_req_t req, mount_context& v, const handle_pointer& handle);

// Like end_open for an open whose answer nobody took, and for one that could not begin: what it truncated is entered.
// Throw nothing, as there is nobody to tell.
void abandon_open(mount_context& v, const handle_pointer& handle) noexcept;
void refuse_open(mount_context& v, const handle_pointer& handle) noexcept;

// Answers an open by `reply`, which returns 0 where the kernel takes it, and will release it.
template <typename Reply>
void reply_handle(fuse_req_t req, mount_context& v, const handle_pointer& handle, fuse_file_info* fi, Reply&& reply) {
  try {
    begin_open(req, v, handle, fi);
  } catch (...) {
    refuse_open(v, handle);
    throw;
  }
  fi->fh = reinterpret_cast<std::uint64_t>(handle.get());
  if (reply() != 0) abandon_open(v, handle);
}

// The local file of a handle that writes; empty while the picture is missing. Takes the names' lock.
std::shared_ptr<const unique_fd> local_of(mount_context& v, open_file& handle);

// The path of `ino` in the view; nothing where it has none.
std::optional<std::string> path_of(mount_context& v, inode ino);

// The local file of an entry. Throws errno where the index says that it is here and the disk does not.
std::shared_ptr<const unique_fd> open_local(mount_context& v, const entry& e, int flags);
// The same by the `path` that `e` had when it was read.
std::shared_ptr<const unique_fd> open_local(mount_context& v, const entry& e, const std::string& path, int flags);
// The same inside a change of names: the path is the one that the index has at this moment.
std::shared_ptr<const unique_fd> open_named(mount_context& v, const entry& e, int flags);

// Whether a mapping of it may write.
bool may_map_to_write(const fuse_file_info* fi);

}  // namespace ferryfs::fs
