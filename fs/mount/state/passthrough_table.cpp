#include "fs/mount/state/passthrough_table.hpp"

#include <fcntl.h>

#include <cerrno>

#include "fs/mount/state/answer_errno.hpp"

namespace ferryfs::fs {

void passthrough_table::allow(bool works) {
  const lock held{mutex_};
  works_ = works;
}

bool passthrough_table::works() {
  const lock held{mutex_};
  return works_;
}

passthrough_table::use passthrough_table::first(const unique_fd* file, bool cached, const backing_files& kernel) {
  struct stat st {};
  if (!works_ || cached || file == nullptr || disk().fstat(file->get(), &st) != 0) return {};
  errno = 0;
  const auto id = kernel.open(file->get());
  if (id > 0) return {0, id, st.st_dev, st.st_ino};
  // Not allowed, or the destination is an overlay: no other file will do better.
  if (errno == EPERM || errno == ELOOP) works_ = false;
  return {};
}

bool passthrough_table::is_of(const use& u, const unique_fd* file) {
  struct stat st {};
  return file != nullptr && disk().fstat(file->get(), &st) == 0 && st.st_dev == u.device && st.st_ino == u.number;
}

bool passthrough_table::passes_another(inode ino, const unique_fd& file) {
  const lock held{mutex_};
  const auto at = uses_.find(ino);
  return at != uses_.end() && at->second.backing != 0 && !is_of(at->second, &file);
}

open_mode passthrough_table::enter(inode ino, const unique_fd* file, bool seen, int flags,
                                   const backing_files& kernel) {
  const lock held{mutex_};
  auto at = uses_.find(ino);
  // Not each file system takes O_DIRECT, or unaligned; cached, everyone may ask for it.
  if (at == uses_.end()) at = uses_.emplace(ino, first(file, seen || (flags & O_DIRECT) != 0, kernel)).first;
  use& u = at->second;
  open_mode mode;
  if (u.backing == 0) {
    mode.keeps_cache = true;  // the kernel is notified when the content becomes another
  } else {
    const bool same = is_of(u, file);
    if (!same && (flags & O_ACCMODE) == O_RDWR) throw answer_errno{EBUSY};
    mode.backing = u.backing;
    mode.is_direct = !same || seen;  // a mapping is passed through all the same
  }
  ++u.count;
  return mode;
}

void passthrough_table::leave(inode ino, const backing_files& kernel) {
  const lock held{mutex_};
  const auto at = uses_.find(ino);
  if (at == uses_.end() || --at->second.count > 0) return;
  if (at->second.backing != 0) kernel.close(at->second.backing);
  uses_.erase(at);
}

}  // namespace ferryfs::fs
