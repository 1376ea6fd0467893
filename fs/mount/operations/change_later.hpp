#pragma once

#include <functional>
#include <memory>

#include "fs/mount/operations/handles.hpp"

namespace ferryfs::fs {

// Changes a part of the file, and replies.
using partial_change = std::function<void(fuse_req_t, const std::shared_ptr<const unique_fd>& file)>;

// Runs `change` once all of a missing picture is here; until then the request is parked.
void change_later(fuse_req_t req, mount_context& v, const handle_pointer& handle, partial_change change);

}  // namespace ferryfs::fs
