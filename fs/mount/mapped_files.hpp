// Files that were closed and may still be written to through a mapping.
//
// Where an open is passed through, its mapping holds the local file and not the mount's (backing_file_mmap in
// fs/backing-file.c): the kernel releases the open file while somebody goes on writing, and never tells of it.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "index/entry.hpp"
#include "remote/unique_fd.hpp"

namespace ferryfs::fs {

struct view;

// Threads: any.
class mapped_files {
 public:
  // Keeps `ino` among the written files of `v` until no mapping can write to `file` any more, and enters
  // what was written in the index every second. `v` outlives this. To be called before the index learns how the file
  // was when it was closed.
  void follow(view& v, inode ino, const unique_fd& file);

 private:
  void run(const std::stop_token& stop, view& v);
  void look_at_all(view& v);

  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::map<inode, unique_fd> files_;  // open for reading
  std::jthread thread_;               // from the first of them on
};

}  // namespace ferryfs::fs
