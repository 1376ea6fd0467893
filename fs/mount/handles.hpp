// What the kernel's file handles stand for.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "fs/mount/open_file.hpp"
#include "fs/mount/view.hpp"

namespace ferryfs::fs {

// An open file of .ferryfs/: its content as it was at open, or the answers to what was written.
struct own_handle {
  std::mutex mutex;
  std::string text;
  unique_fd file;  // instead of the text
};

using handle_pointer = std::shared_ptr<open_file>;
using own_pointer = std::shared_ptr<own_handle>;
inline handle_pointer& handle_of(const fuse_file_info* fi) { return *reinterpret_cast<handle_pointer*>(fi->fh); }
inline own_pointer& own_handle_of(const fuse_file_info* fi) { return *reinterpret_cast<own_pointer*>(fi->fh); }

// The local file of an entry; where the index says so and the disk does not, throws errno.
std::shared_ptr<const unique_fd> open_local(view& v, const entry& e, int flags);

}  // namespace ferryfs::fs
