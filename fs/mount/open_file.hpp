// Open pictures.
#pragma once

#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
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
  const bool writes;  // then `file` is the local file and no partial one, so that nothing else is ever written to

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

// True where a write at this moment might leave its time as it is: on older kernels that goes by ticks of up to 10 ms.
bool is_just_written(const unique_fd& file);

}  // namespace ferryfs::fs
