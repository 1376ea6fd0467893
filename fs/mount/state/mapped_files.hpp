// Files that were closed and may still be written to through a mapping.
//
// Where an open is passed through, its mapping holds the local file and not the mount's (backing_file_mmap in
// fs/backing-file.c): the kernel releases the open file while somebody goes on writing, and never tells of it.
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "fs/mount/state/written_files.hpp"
#include "index/base/serial_executor.hpp"
#include "index/model/entry.hpp"
#include "remote/files/unique_fd.hpp"

namespace ferryfs::fs {

class mapped_files {
 public:
  // Enters what was written to a file in the index.
  using record = std::function<void(inode)>;

  // On `executor` the files are looked at, every second while there are any. It ends before this, `written` after.
  mapped_files(remote::serial_executor& executor, written_files& written) : executor_(executor), written_(written) {}

  // Keeps `ino` among the written files until no mapping can write to `file` any more, and has what was written
  // entered every second, by the executor. To be called before the index learns how the file was when it was closed.
  // Threads: any.
  void follow(inode ino, const unique_fd& file, record enter);

 private:
  void add(inode ino, std::shared_ptr<const unique_fd> file, const record& enter);
  void recheck(const record& enter);
  void look_at_all(const record& enter);

  remote::serial_executor& executor_;
  written_files& written_;
  std::map<inode, std::shared_ptr<const unique_fd>> files_;  // the executor's own; open for reading
};

}  // namespace ferryfs::fs
