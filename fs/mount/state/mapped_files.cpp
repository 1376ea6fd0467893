#include "fs/mount/state/mapped_files.hpp"

#include <fcntl.h>

#include <cerrno>
#include <chrono>
#include <vector>

#include "index/base/exception_barrier.hpp"
#include "remote/files/beneath.hpp"

namespace ferryfs::fs {
namespace {

// A lease for reading is refused while the file is open, or mapped, for writing by anybody (fcntl(2), F_SETLEASE).
// Other refusals (a file system without leases, no CAP_LEASE) say nothing: then the next scan finds what is written.
// SIGIO, which tells of an open while the lease is held, is ignored by the process.
bool may_be_written(const unique_fd& file) {
  if (::fcntl(file.get(), F_SETLEASE, F_RDLCK) != 0) return errno == EAGAIN;
  ::fcntl(file.get(), F_SETLEASE, F_UNLCK);
  return false;
}

// A page that was written to changes the file's time at its first write only, until it goes to the disk. After this
// the next write to each page does again.
void begin_anew(const unique_fd& file) {
  ::sync_file_range(file.get(), 0, 0, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE);
}

}  // namespace

void mapped_files::follow(written_files& written, inode ino, const unique_fd& file, const record& enter) {
  unique_fd reading{disk().open(proc_path(file.get()).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (!reading) return;
  begin_anew(reading);
  const lock held{mutex_};
  if (files_.contains(ino)) return;
  written.begin_following(ino, std::make_shared<unique_fd>(disk().duplicate(reading.get())));
  files_.emplace(ino, std::move(reading));
  if (!thread_.joinable())
    thread_ = thread("mapped files", [this, &written, enter](const std::stop_token& stop) {
      lock waiting{mutex_};
      while (wake_.wait(waiting, stop, [&]() REQUIRES(mutex_) { return !files_.empty(); })) {
        if (wake_.wait_for(waiting, stop, std::chrono::seconds(1), [] { return false; }); stop.stop_requested()) return;
        waiting.unlock();
        contain("mapped files", [&] { look_at_all(written, enter); });
        waiting.relock();
      }
    });
  wake_.notify_all();
}

void mapped_files::look_at_all(written_files& written, const record& enter) {
  std::vector<std::pair<inode, bool>> all;
  {
    const lock held{mutex_};
    for (const auto& [ino, file] : files_) {
      all.emplace_back(ino, may_be_written(file));
      begin_anew(file);
    }
  }
  for (const auto& [ino, writable] : all) {
    // After the look: what was written before the mapping went is entered.
    if (contain("mapped files", [&, of = ino] { enter(of); }) || writable) continue;
    {
      const lock held{mutex_};
      if (may_be_written(files_.at(ino))) continue;  // mapped again meanwhile
      files_.erase(ino);
    }
    written.end_writing(ino);
  }
}

}  // namespace ferryfs::fs
