// Changing a part of a missing picture needs all of it first.
#pragma once

#include <functional>
#include <memory>

#include "fs/mount/view/mount_context.hpp"

namespace ferryfs::fs {

// Calls `then`, on a thread that may wait for the disk, when the picture is local; else answers the parked request with
// why not.
void with_hydrated(mount_context& v, inode ino, const std::shared_ptr<parked_request>& parked,
                   std::function<void()> then);

}  // namespace ferryfs::fs
