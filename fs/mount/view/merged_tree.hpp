// The tree that the mount shows: source and destination merged, and what of it somebody has open or has written. It is
// all that view/ and change/ work with; neither knows of FUSE.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "fs/mount/state/mapped_files.hpp"
#include "fs/mount/state/open_file.hpp"
#include "fs/mount/state/passthrough_table.hpp"
#include "fs/mount/state/readdir_cursors.hpp"
#include "fs/mount/state/removed_entries.hpp"
#include "fs/mount/state/written_files.hpp"
#include "index/base/serial_executor.hpp"
#include "remote/engine/migration/migration.hpp"
#include "remote/engine/open_files_query.hpp"

namespace ferryfs::fs {

struct ownership {
  std::uint32_t uid = 0, gid = 0;  // of what has no owner of its own
  std::uint32_t umask = 0;         // bits taken away from every mode shown
};

// Entries that left their names, as the index reports them. Shared with its writer, which may outlive the tree.
struct departed_entries {
  readdir_cursors positions;
  removed_entries removed;
};

// Threads: any.
struct merged_tree {
  // Made before the archive starts, which from then on asks it what is open; ends after the archive has stopped.
  merged_tree(remote::migration& archive, ownership owner);

  // To be called after each commit (migration::on_changes): who reads a picture whose bytes became others asks the
  // index before the next read.
  void notice(const std::vector<index::change>& committed);
  remote::open_files_query open_files_query();

  remote::migration& archive;
  const ownership owner;
  open_files open_pictures;
  written_files written;
  passthrough_table passthrough;
  const std::shared_ptr<departed_entries> departed = std::make_shared<departed_entries>();
  mapped_files mapped{mappings, written};
  // Changes files, and enters that in the index: each item may wait for the disk. Ends before all that its items use.
  remote::serial_executor changes{"changes"};
  remote::serial_executor mappings{"mapped files"};  // looks at them, which waits for what they write to reach the disk
};

}  // namespace ferryfs::fs
