// Files that are open for writing, or were written and are not in the index yet as they are: of those the disk, and not
// the index, knows size and times.
//
// The kernel takes any size that it is shown after a write has ended for the newer one, cuts its own back to it, and
// appends there (fs/fuse/inode.c, fuse_change_attributes). So a file stays in this table until the index shows the
// same, and an answer from the index counts only if no file left the table while the row was read: see generation().
#pragma once

#include <sys/stat.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <unordered_map>

#include "index/base/mutex.hpp"
#include "index/model/entry.hpp"
#include "remote/files/unique_fd.hpp"

namespace ferryfs::fs {

// Threads: any.
class written_files {
 public:
  using file_pointer = std::shared_ptr<const unique_fd>;

  // A handle that may write `ino` begins and ends. `file` is null while the picture is missing.
  void begin_writing(inode ino, file_pointer file);
  void end_writing(inode ino);
  // The same without an open file of ours: a mapping is left. `file` may be open for reading only.
  void begin_following(inode ino, file_pointer file);
  // The content of `file`, which is `ino`, has become another. To be called before the kernel is answered.
  void mark(inode ino, file_pointer file);

  // A write of `ino` is under way: until it ends the file is shown as it was. A size of half a write would make the
  // kernel drop pages that the write has filled, and read them again too early.
  class pending_write {
   public:
    pending_write(written_files& files, inode ino, file_pointer file);
    ~pending_write();
    pending_write(const pending_write&) = delete;
    pending_write& operator=(const pending_write&) = delete;
    // The bytes written end there; marks the file.
    void reached(off_t end);

   private:
    written_files& files_;
    const inode ino_;
  };
  // The index has the file as `now` shows it, by another way than begin_recording().
  void recorded(inode ino, const struct stat& now);

  // Begins to enter `ino` in the index: the file, or null where nothing was written since the last time. Each call that
  // returned a file is followed by one of end_recording(): with what the index has of it now, or null where it took
  // nothing.
  file_pointer begin_recording(inode ino);
  void end_recording(inode ino, const struct stat* stored);

  // The index does not know all that was written to `ino`, or somebody can still write to it.
  bool holds(inode ino);

  // Puts size and times of the file, as they are at this moment, into `st`. False: `ino` is not in the table. The
  // kernel must not keep the attributes of one that is.
  bool overlay(inode ino, struct stat& st);
  // Becomes another number whenever a file leaves the table. A row that was read before overlay() said false is as new
  // as the file only if this is still what it was before the row was read.
  std::uint64_t generation() const noexcept { return generation_; }

 private:
  struct moment {
    off_t size = -1;
    timespec time{};
    static moment of(const struct stat& st) { return {st.st_size, st.st_mtim}; }
  };
  struct written {
    file_pointer file;
    bool marked = false;         // by mark(), since it was recorded last
    std::size_t handles = 0;     // that may write it
    std::size_t recordings = 0;  // under way
    moment recorded{};           // as the index knows it; writes that are passed through are seen by this alone
    std::size_t writes = 0;      // under way
    struct stat before {};       // while they are: as the kernel knows it
  };
  using table = std::unordered_map<inode, written>;
  static bool is_changed(const written& w, const struct stat& now);
  void erase_if_done(table::iterator at) REQUIRES(mutex_);

  mutex mutex_{lock_level::leaf};
  table files_ GUARDED_BY(mutex_);
  std::atomic<std::size_t> count_ = 0;  // so that nobody takes the lock while nothing is written
  std::atomic<std::uint64_t> generation_ = 0;
};

}  // namespace ferryfs::fs
