// The files of .ferryfs/, opened, read and written.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "fs/mount/operations/mount_context.hpp"
#include "index/base/mutex.hpp"
#include "remote/files/unique_fd.hpp"

namespace ferryfs::fs {

// An open file of .ferryfs/: its content as it was at open, or the answers to what was written.
struct virtual_handle {
  virtual_handle(std::string content, unique_fd instead) : text(std::move(content)), file(std::move(instead)) {}

  mutex mutex_{lock_level::leaf};
  std::string text GUARDED_BY(mutex_);
  const unique_fd file;  // instead of the text
};

using virtual_handle_pointer = std::shared_ptr<virtual_handle>;
inline virtual_handle_pointer& virtual_handle_of(const fuse_file_info* fi) {
  return *reinterpret_cast<virtual_handle_pointer*>(fi->fh);
}

// Each answers the request, at once or later.
void open_virtual(fuse_req_t req, mount_context& v, fuse_ino_t ino, fuse_file_info* fi);
void read_virtual(fuse_req_t req, std::size_t size, off_t offset, fuse_file_info* fi);
// A command. Its answer can be read from the same open file.
void write_virtual(fuse_req_t req, mount_context& v, const std::string& bytes, fuse_file_info* fi);

}  // namespace ferryfs::fs
