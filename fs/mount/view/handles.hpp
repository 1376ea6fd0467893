// What the kernel's file handles stand for.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "fs/mount/state/open_file.hpp"
#include "fs/mount/view/view.hpp"

namespace ferryfs::fs {

// An open file of .ferryfs/: its content as it was at open, or the answers to what was written.
struct own_handle {
  std::mutex mutex;
  std::string text;
  unique_fd file;  // instead of the text
};

using handle_pointer = std::shared_ptr<open_file>;
using own_pointer = std::shared_ptr<own_handle>;
// The kernel's handle is the address; from open to release it is view::opened that keeps the file.
inline handle_pointer handle_of(const fuse_file_info* fi) {
  return reinterpret_cast<open_file*>(fi->fh)->shared_from_this();
}
inline own_pointer& own_handle_of(const fuse_file_info* fi) { return *reinterpret_cast<own_pointer*>(fi->fh); }

// Lets the kernel read and write `handle`, which is among those that are open, by the way that `fi` then names.
void begin_open(fuse_req_t req, view& v, const handle_pointer& handle, fuse_file_info* fi);
// The end of that; enters what was written in the index. `req` is null where it has been answered.
void end_open(fuse_req_t req, view& v, const handle_pointer& handle);

// The same for an open whose answer nobody took, and for one that could not begin: what it truncated is entered. Throw
// nothing, as there is nobody to tell.
void abandon_open(view& v, const handle_pointer& handle) noexcept;
void refuse_open(view& v, const handle_pointer& handle) noexcept;

// Answers an open by `reply`, which returns 0 where the kernel takes it, and will release it.
template <typename Reply>
void reply_handle(fuse_req_t req, view& v, const handle_pointer& handle, fuse_file_info* fi, Reply&& reply) {
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
std::shared_ptr<const unique_fd> local_of(view& v, open_file& handle);

// The local file of an entry; where the index says so and the disk does not, throws errno.
std::shared_ptr<const unique_fd> open_local(view& v, const entry& e, int flags);

}  // namespace ferryfs::fs
