// Files that were closed and may still be written to through a mapping.
//
// Where an open is passed through, its mapping holds the local file and not the mount's (backing_file_mmap in
// fs/backing-file.c): the kernel releases the open file while somebody goes on writing, and never tells of it.
#pragma once

#include <functional>
#include <map>

#include "fs/mount/state/written_files.hpp"
#include "index/base/mutex.hpp"
#include "index/base/thread.hpp"
#include "index/model/entry.hpp"
#include "remote/files/unique_fd.hpp"

namespace ferryfs::fs {

// Threads: any.
class mapped_files {
 public:
  // Enters what was written to a file in the index. It runs on a thread of mapped_files.
  using record = std::function<void(inode)>;

  // Keeps `ino` among the `written` files, which outlive this, until no mapping can write to `file` any more, and has
  // what was written recorded every second. To be called before the index learns how the file was when it was closed.
  void follow(written_files& written, inode ino, const unique_fd& file, const record& enter);

 private:
  void look_at_all(written_files& written, const record& enter);

  mutex mutex_;
  condition wake_;
  std::map<inode, unique_fd> files_ GUARDED_BY(mutex_);  // open for reading
  thread thread_;                                        // from the first of them on
};

}  // namespace ferryfs::fs
