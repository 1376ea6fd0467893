// Open pictures, and which of them are being written: of those the disk, and not the index, knows size and time.
#pragma once

#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "index/entry.hpp"
#include "remote/unique_fd.hpp"

namespace ferryfs::fs {

// One open file. Its bytes come from `file` once there is one: the local file, or the partial file of a fetch that has
// written all of it. Threads: any.
class open_file : public std::enable_shared_from_this<open_file> {
 public:
  open_file(inode of, bool to_be_written) : ino(of), writes(to_be_written) {}
  const inode ino;
  bool unseen = false;  // it may be written past the operations; set before it is open
  const bool writes;    // then `file` is the local file and no partial one, so that nothing else is ever written to

  std::shared_ptr<const unique_fd> file() {
    const std::lock_guard lock{mutex_};
    return file_;
  }
  void set_file(std::shared_ptr<const unique_fd> file) {
    const std::lock_guard lock{mutex_};
    file_ = std::move(file);
  }

  // A read ran into its deadline. The kernel asks for the same page once more at once (filemap_read: a page of a failed
  // read-ahead is read by itself), for which nobody is to wait as long again.
  void give_up() noexcept { gave_up_ = clock::now().time_since_epoch().count(); }
  bool gave_up_just_now() const noexcept {
    return clock::now().time_since_epoch() - clock::duration{gave_up_} < std::chrono::seconds{1};
  }

 private:
  using clock = std::chrono::steady_clock;
  std::atomic<clock::rep> gave_up_ = clock::duration{std::chrono::hours{-1}}.count();
  std::mutex mutex_;
  std::shared_ptr<const unique_fd> file_;
};

// All that is open, by inode: a file that was removed is still there for who has it open. Threads: any.
class open_files {
 public:
  void add(const std::shared_ptr<open_file>& file);
  void remove(const std::shared_ptr<open_file>& file);
  // The local file of one of those that are open as `ino`, if any has one.
  std::shared_ptr<const unique_fd> find(inode ino);
  bool is_written(inode ino);
  std::size_t written();  // pictures that are open for writing
  // Those that only read forget their local file: the next read asks the index where the picture is.
  void reopen(inode ino);

 private:
  std::mutex mutex_;
  std::map<std::pair<inode, const open_file*>, std::shared_ptr<open_file>> files_;
};

// The files that were written through the mount and are not yet in the index as they are. Threads: any.
class written_files {
 public:
  // `ino` has other bytes than the index knows; `file` shows its size and times.
  void mark(inode ino, std::shared_ptr<const unique_fd> file);
  // Until as many unwatch() were called, `ino` is written where no operation sees it: its size or its time tell.
  void watch(inode ino, std::shared_ptr<const unique_fd> file);
  void unwatch(inode ino);
  // Its time was set, which is no sign of bytes written.
  void time_set(inode ino);
  // Takes it from the table: the caller enters it in the index. Empty: nothing was written since.
  std::shared_ptr<const unique_fd> take(inode ino);
  bool holds(inode ino);
  // Puts size and times as they are now into `st`.
  void overlay(inode ino, struct stat& st);

 private:
  struct seen {
    off_t size = -1;
    timespec time{};
  };
  struct written {
    std::shared_ptr<const unique_fd> file;
    bool marked = false;
    std::size_t watched = 0;
    seen before{};  // while it is watched: as the index knows it
  };
  static bool is_changed(const written& w, const struct stat& now);

  std::mutex mutex_;
  std::unordered_map<inode, written> files_;
  std::atomic<std::size_t> count_ = 0;  // so that nobody takes the lock while nothing is written
};

// True where a write at this moment might leave its time as it is: on older kernels that goes by ticks of up to 10 ms.
bool is_just_written(const unique_fd& file);

}  // namespace ferryfs::fs
