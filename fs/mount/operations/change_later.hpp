// Changes of a part of a missing picture, which need all of it first.
#pragma once

#include <functional>
#include <memory>

#include "fs/mount/operations/mount_context.hpp"

namespace ferryfs::fs {

// Parks the request until all of `ino` is here, and then runs `change`, which replies; or answers why it is not.
void when_hydrated(fuse_req_t req, mount_context& v, inode ino, std::function<void(fuse_req_t)> change);

// The same of an open picture: `change` gets the file.
using partial_change = std::function<void(fuse_req_t, const std::shared_ptr<const unique_fd>& file)>;
void change_later(fuse_req_t req, mount_context& v, const handle_pointer& handle, partial_change change);

}  // namespace ferryfs::fs
