// Open pictures.
#pragma once

#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <utility>

#include "index/base/clock.hpp"
#include "index/base/mutex.hpp"
#include "index/model/entry.hpp"
#include "remote/engine/fetch/read_result.hpp"
#include "remote/files/unique_fd.hpp"

namespace ferryfs::fs {

// One open file. Its bytes come from `file` once there is one: the local file, or the partial file of a fetch that has
// written all of it. Threads: any.
class open_file : public std::enable_shared_from_this<open_file> {
 public:
  open_file(inode of, bool to_be_written) : ino(of), writes(to_be_written) {}
  const inode ino;
  const bool writes;  // then `file` is the local file and no partial one, so that nothing else is ever written to
  // Its size was not known when it was opened: the kernel asks for its bytes whatever size it was shown.
  bool unsized = false;
  // It may be mapped for writing, and the kernel passes that through. Set once, before anybody else has it.
  bool maps_past_us = false;

  std::shared_ptr<const unique_fd> file() {
    const lock held{mutex_};
    if (partial_ && served_.is_rejected()) file_.reset(), partial_ = false;
    return file_;
  }
  void set_file(std::shared_ptr<const unique_fd> file) {
    const lock held{mutex_};
    file_ = std::move(file), partial_ = false;
  }

  // A fetch hands out bytes of its picture. False: others that it saw were rejected, and were of a picture of another
  // size; the reader is to get an error.
  bool take(const remote::partial_read& from) {
    const lock held{mutex_};
    if (served_.is_rejected() && served_.size != from.size) return false;
    served_ = {from.size, from.rejected};
    if (from.whole && !writes) file_ = from.file, partial_ = true;
    return true;
  }
  // Of bytes that are not kept: the next may be of another picture.
  bool take(const remote::direct_read& from) {
    const lock held{mutex_};
    if (served_.is_rejected() && served_.size != from.size) return false;
    served_ = {from.size, std::make_shared<const std::atomic<bool>>(true)};
    return true;
  }
  // The same of the local file.
  bool may_read(const unique_fd& local) {
    const lock held{mutex_};
    if (!served_.is_rejected()) return true;
    if (size_of(local) != served_.size) return false;
    served_ = {};
    return true;
  }

  // Its picture may have become another. Before the next read the index is asked; `forget` is for where that is so.
  void doubt() noexcept { doubtful_ = true; }
  bool doubted() noexcept { return doubtful_ && doubtful_.exchange(false); }
  void forget() {
    const lock held{mutex_};
    if (!file_ && !served_.rejected) return;  // it has not seen any bytes yet
    served_ = {file_ && !partial_ ? size_of(*file_) : served_.size, std::make_shared<const std::atomic<bool>>(true)};
    file_.reset(), partial_ = false;
  }

  // A read ran into its deadline. The kernel asks for the same page once more at once (filemap_read: a page of a failed
  // read-ahead is read by itself), for which nobody is to wait as long again.
  void give_up() noexcept { timed_out_ = steady_now().time_since_epoch().count(); }
  bool timed_out_just_now() const noexcept {
    return steady_now().time_since_epoch() - clock::duration{timed_out_} < std::chrono::seconds{1};
  }

 private:
  using clock = std::chrono::steady_clock;
  std::atomic<clock::rep> timed_out_ = clock::duration{std::chrono::hours{-1}}.count();
  static std::uint64_t size_of(const unique_fd& file) {
    struct stat st {};
    return disk().fstat(file.get(), &st) == 0 ? static_cast<std::uint64_t>(st.st_size) : 0;
  }
  std::atomic<bool> doubtful_ = false;
  mutex mutex_{lock_level::open_file};
  std::shared_ptr<const unique_fd> file_ GUARDED_BY(mutex_);
  bool partial_ GUARDED_BY(mutex_) = false;  // `file_` is of a fetch
  // The last picture whose bytes it saw, where that may come to be another: of a fetch, or what was here.
  struct bytes_seen {
    std::uint64_t size = 0;
    std::shared_ptr<const std::atomic<bool>> rejected;
    bool is_rejected() const { return rejected && *rejected; }
  } served_ GUARDED_BY(mutex_);
};

using handle_pointer = std::shared_ptr<open_file>;

// All open files, by inode: one that was removed is still there for those who have it open. Threads: any.
class open_files {
 public:
  void add(const std::shared_ptr<open_file>& file);
  void remove(const std::shared_ptr<open_file>& file);
  // The local file of one of those that are open as `ino`, if any has one.
  std::shared_ptr<const unique_fd> find(inode ino);
  bool is_open(inode ino);
  // Its local file is open for writing. One that was opened while the picture was missing has none until it is needed.
  bool is_written(inode ino);
  std::size_t written();  // pictures that are open for writing
  // Those that only read forget their local file: the next read asks the index where the picture is.
  void reopen(inode ino);
  // The index has other bytes for `ino` than before: those that only read ask it whether theirs still are the picture.
  // The kernel passes reads of theirs through to the file that they have, which they go on with.
  void doubt(inode ino);

 private:
  mutex mutex_{lock_level::open_files};
  std::map<std::pair<inode, const open_file*>, std::shared_ptr<open_file>> files_ GUARDED_BY(mutex_);
};

// True where a write at this moment might leave its time as it is: on older kernels that goes by ticks of up to 10 ms.
bool is_just_written(const unique_fd& file);

}  // namespace ferryfs::fs
