// What every operation works with: the archive behind the mount, and how it is shown.
#pragma once

#include <fuse_lowlevel.h>

#include <memory>
#include <mutex>
#include <string>

#include "fs/mount/kernel/parked.hpp"
#include "fs/mount/kernel/passthrough.hpp"
#include "fs/mount/state/mapped_files.hpp"
#include "fs/mount/state/open_file.hpp"
#include "fs/mount/state/readdir_cursors.hpp"
#include "fs/mount/state/removed_entries.hpp"
#include "fs/mount/state/written_files.hpp"
#include "fs/virtual/control.hpp"
#include "fs/virtual/directory.hpp"
#include "index/base/serial_executor.hpp"
#include "remote/engine/migration/migration.hpp"

namespace ferryfs::fs {

struct ownership {
  std::uint32_t uid = 0, gid = 0;  // of what has no owner of its own
  std::uint32_t umask = 0;         // bits taken away from every mode shown
};

// What the index tells of entries that leave their names. Shared with its writer, which may outlive the view.
struct departed_entries {
  readdir_cursors positions;
  removed_entries removed;
};

// Lives from before the session to after it. Threads: any.
struct view {
  remote::migration& archive;
  const ownership owner;
  const std::string mountpoint;
  virtual_directory virtual_files;  // .ferryfs/
  parked_requests parked;           // until --io-timeout, but commands
  open_files open_pictures;
  written_files written;
  passthrough_table passthrough;
  std::shared_ptr<departed_entries> departed;
  std::once_flag first_open;
  control commands;  // ends before them: its threads look at what is open
  mapped_files mapped{changes, written};
  // Change files, and enter that in the index: each may wait for the disk. Ends before all that its items look at.
  remote::serial_executor changes{"changes"};
  remote::serial_executor lists{"lists"};  // makes those of .ferryfs/lists

  static view& of(fuse_req_t req) { return *static_cast<view*>(fuse_req_userdata(req)); }
};

// How long the kernel may keep what it was told: as long as the index is right. Whatever changes is told to it.
inline constexpr double cache_time = 86400;

// What the kernel is told of an entry, and for how many seconds it may keep that.
struct kernel_attributes {
  struct stat st;
  double timeout;
};
// `generation`: that of written_files before `e` was read. Where the file was entered in the index since, the row is
// read again.
kernel_attributes attributes_of(view& v, std::uint64_t generation, entry e);
// Of an entry that was removed and that the kernel still holds; nothing where it is none. A file that is open shows
// itself.
std::optional<struct stat> attributes_of_removed(view& v, inode ino);
// The same as attributes_of, as an answer that names the entry.
fuse_entry_param parameters_of(view& v, std::uint64_t generation, const entry& e);

}  // namespace ferryfs::fs
