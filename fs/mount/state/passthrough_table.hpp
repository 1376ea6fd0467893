// FUSE passthrough: the kernel reads and writes the local file itself, past the operations and without a second copy in
// its page cache.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <unordered_map>

#include "index/base/mutex.hpp"
#include "index/model/entry.hpp"
#include "remote/files/unique_fd.hpp"

namespace ferryfs::fs {

// How the kernel is to have a file open: the members of fuse_file_info that say so.
struct open_mode {
  std::int32_t backing = 0;   // it passes the file through to this one; 0: it asks the operations
  bool keeps_cache = false;   // what it has in its cache is still right
  bool is_direct = false;     // it asks past its cache
  bool has_no_flush = false;  // nothing will be asked for when it is closed
};

// The kernel's part: `open` hands it a local file and returns its number, or 0 or less and errno.
struct backing_files {
  std::function<std::int32_t(int fd)> open;
  std::function<void(std::int32_t backing)> close;
};

// How each inode is open. The kernel refuses (EIO) to have one inode open cached and passed through at once, or passed
// through to two files (fs/fuse/iomode.c): how it was opened first is how it is opened until the last is closed. Where
// the local file has become another meanwhile, those that came before go on with the old one, as after any rename over
// an open file; for those that come after the operations read and write. Threads: any.
class passthrough_table {
 public:
  void forbid() noexcept { forbidden_ = true; }  // before the session
  bool is_forbidden() const noexcept { return forbidden_; }
  // Whether the kernel takes local files; until then it is given none.
  void allow(bool works);

  // False also where the kernel refused it for a file: it would for each (fs/fuse/passthrough.c).
  bool works();

  // The kernel passes `ino` to another file than `file`. Mapped, it would be that one which is written to, though
  // nothing shows it any more: no open for reading and writing is allowed then.
  bool passes_another(inode ino, const unique_fd& file);

  // Enters one open of `ino`, with the `flags` of open(2), and says how it is; `file` is the local file, null while
  // there is none. `seen`: what is written by read and write calls is to come to the operations. Throws answer_errno,
  // and enters nothing, where passes_another() forbids it.
  open_mode enter(inode ino, const unique_fd* file, bool seen, int flags, const backing_files& kernel);
  // Once for each enter(), when that is closed.
  void leave(inode ino, const backing_files& kernel);

 private:
  struct use {
    std::size_t count = 0;
    std::int32_t backing = 0;  // 0: cached
    dev_t device = 0;          // of the file passed through to
    ino_t number = 0;
  };
  static bool is_of(const use& u, const unique_fd* file);
  use first(const unique_fd* file, bool cached, const backing_files& kernel) REQUIRES(mutex_);

  bool forbidden_ = false;
  mutex mutex_{lock_level::leaf};
  bool works_ GUARDED_BY(mutex_) = false;
  std::unordered_map<inode, use> uses_ GUARDED_BY(mutex_);
};

}  // namespace ferryfs::fs
