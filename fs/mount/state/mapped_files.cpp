#include "fs/mount/state/mapped_files.hpp"

#include <fcntl.h>

#include <cerrno>
#include <chrono>
#include <utility>
#include <vector>

#include "index/base/clock.hpp"
#include "index/base/exception_barrier.hpp"
#include "remote/files/beneath.hpp"

namespace ferryfs::fs {
namespace {

// A lease for reading is refused while the file is open, or mapped, for writing by anybody (fcntl(2), F_SETLEASE).
// Other refusals (a file system without leases, no CAP_LEASE) say nothing: then the next scan finds what is written.
// SIGIO, which tells of an open while the lease is held, is ignored by the process.
bool may_be_written(const unique_fd& file) {
  if (disk().set_lease(file.get(), F_RDLCK) != 0) return errno == EAGAIN;
  disk().set_lease(file.get(), F_UNLCK);
  return false;
}

// A page that was written to changes the file's time at its first write only, until it goes to the disk. After this
// the next write to each page does again.
void begin_anew(const unique_fd& file) {
  disk().sync_file_range(file.get(), 0, 0, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE);
}

}  // namespace

void mapped_files::follow(inode ino, const unique_fd& file, record enter) {
  const auto reading =
      std::make_shared<const unique_fd>(disk().open(proc_path(file.get()).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!*reading) return;
  begin_anew(*reading);
  written_.begin_following(ino, std::make_shared<unique_fd>(disk().duplicate(reading->get())));
  executor_.post([this, ino, reading, enter = std::move(enter)] { add(ino, reading, enter); });
}

void mapped_files::add(inode ino, std::shared_ptr<const unique_fd> file, const record& enter) {
  if (!files_.emplace(ino, std::move(file)).second) return written_.end_writing(ino);  // it is followed once
  if (files_.size() == 1) recheck(enter);
}

void mapped_files::recheck(const record& enter) {
  executor_.post_at(steady_now() + std::chrono::seconds(1), [this, enter] {
    contain("mapped files", [&] { look_at_all(enter); });
    if (!files_.empty()) recheck(enter);
  });
}

void mapped_files::look_at_all(const record& enter) {
  std::vector<std::pair<inode, bool>> all;
  for (const auto& [ino, file] : files_) {
    all.emplace_back(ino, may_be_written(*file));
    begin_anew(*file);
  }
  for (const auto& [ino, writable] : all) {
    // After the look: what was written before the mapping went is entered.
    if (contain("mapped files", [&, of = ino] { enter(of); }) || writable) continue;
    if (may_be_written(*files_.at(ino))) continue;  // mapped again meanwhile
    files_.erase(ino);
    written_.end_writing(ino);
  }
}

}  // namespace ferryfs::fs
