// FUSE passthrough: the kernel reads and writes the local file itself, past the operations and without a second copy in
// its page cache.
#pragma once

#include <fuse_lowlevel.h>
#include <sys/types.h>

#include <cstdint>
#include <unordered_map>

#include "index/base/mutex.hpp"
#include "index/model/entry.hpp"
#include "remote/files/unique_fd.hpp"

namespace ferryfs::fs {

// How each inode is open. The kernel refuses (EIO) to have one inode open cached and passed through at once, or passed
// through to two files (fs/fuse/iomode.c): how it was opened first is how it is opened until the last is closed. Where
// the local file has become another meanwhile, those that came before go on with the old one, as after any rename over
// an open file; for those that come after the operations read and write. Threads: any.
class passthrough_table {
 public:
  // At INIT: asks the kernel for it, unless it is forbidden. Without CAP_SYS_ADMIN the kernel allows nobody to use it.
  void ask(fuse_conn_info* conn);
  void forbid() noexcept { forbidden_ = true; }  // before the session

  // False also where the kernel refused it for a file: it would for each (fs/fuse/passthrough.c).
  bool works();

  // The kernel passes `ino` to another file than `file`. Mapped, it would be that one which is written to, though
  // nothing shows it any more: no open for reading and writing is allowed then.
  bool passes_another(inode ino, const unique_fd& file);

  // Enters one open of `ino` and says in `fi` how it is; `file` is the local file, null while there is none. `seen`:
  // what is written by read and write calls is to come to the operations. Throws answer_errno, and enters nothing,
  // where passes_another() forbids it.
  // True: the kernel passes it through.
  bool enter(fuse_req_t req, inode ino, const unique_fd* file, bool seen, fuse_file_info* fi);
  // Once for each enter(), when that is closed. `req` is null where the kernel did not take it: its connection ends.
  void leave(fuse_req_t req, inode ino);

 private:
  struct use {
    std::size_t count = 0;
    std::int32_t backing = 0;  // 0: cached
    dev_t device = 0;          // of the file passed through to
    ino_t number = 0;
  };
  static bool is_of(const use& u, const unique_fd* file);
  use first(fuse_req_t req, const unique_fd* file, bool cached) REQUIRES(mutex_);

  bool forbidden_ = false;
  mutex mutex_{lock_level::leaf};
  bool works_ GUARDED_BY(mutex_) = false;
  std::unordered_map<inode, use> uses_ GUARDED_BY(mutex_);
};

}  // namespace ferryfs::fs
