// Every operation works with the mount_context: the tree that is shown, and all that stands between it and the kernel.
#pragma once

#include <fuse_lowlevel.h>

#include <mutex>
#include <string>

#include "fs/mount/kernel/parked.hpp"
#include "fs/mount/kernel/reply.hpp"
#include "fs/mount/view/merged_tree.hpp"
#include "fs/virtual/control.hpp"
#include "fs/virtual/directory.hpp"
#include "index/base/serial_executor.hpp"

namespace ferryfs::fs {

// Lives from before the session to after it. Threads: any.
struct mount_context {
  const std::string mountpoint;
  virtual_directory virtual_files;  // .ferryfs/
  parked_requests parked;           // until --io-timeout, but commands
  std::once_flag first_open;
  merged_tree tree;
  control commands;                        // ends before the tree: its threads look at what is open
  remote::serial_executor lists{"lists"};  // makes those of .ferryfs/lists

  static mount_context& of(fuse_req_t req) { return *static_cast<mount_context*>(fuse_req_userdata(req)); }
  // Throws EPERM where `ino` is of .ferryfs.
  void refuse_virtual(fuse_ino_t ino) const {
    if (virtual_files.holds(ino)) throw answer_errno{EPERM};
  }
};

}  // namespace ferryfs::fs
