#include "remote/source/local/served_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "remote/files/beneath.hpp"

namespace ferryfs::remote {
namespace {

constexpr std::uint64_t most_unsynced = 16ULL << 20;  // bytes: the sync at the end takes no long time

}  // namespace

int served_file::open(int root, int flags, file_call& call) {
  file_ = open_beneath(root, call.path, flags | O_NOFOLLOW | O_NONBLOCK, (flags & O_CREAT) != 0 ? 0600 : 0);
  unsynced_ = 0;
  return file_ && ::fstat(file_.get(), &call.shown) == 0 ? 0 : errno;
}

int served_file::read(file_call& call) const {
  std::size_t have = 0;
  while (have < call.length) {
    const ssize_t n =
        ::pread(file_.get(), call.data + have, call.length - have, static_cast<off_t>(call.offset + have));
    if (n < 0) return errno;
    if (n == 0) break;
    have += static_cast<std::size_t>(n);
  }
  if (have < call.length && ::fstat(file_.get(), &call.shown) != 0) return errno;
  call.length = static_cast<std::uint32_t>(have);
  return 0;
}

int served_file::truncate(const file_call& call) const {
  return ::ftruncate(file_.get(), static_cast<off_t>(call.offset)) == 0 ? 0 : errno;
}

int served_file::write(const file_call& call) {
  for (std::size_t done = 0; done < call.length;) {
    const ssize_t n =
        ::pwrite(file_.get(), call.data + done, call.length - done, static_cast<off_t>(call.offset + done));
    if (n < 0) return errno;
    done += static_cast<std::size_t>(n);
  }
  unsynced_ += call.length;
  if (unsynced_ < most_unsynced) return 0;
  unsynced_ = 0;
  return ::fdatasync(file_.get()) == 0 ? 0 : errno;
}

// A mode or time that the source refuses shows in the attributes that `close` answers.
int served_file::finish(const file_call& call) const {
  const timespec when{call.mtime, 0}, times[2] = {when, when};
  [[maybe_unused]] const bool set =
      ::fchmod(file_.get(), call.mode & 07777) == 0 && ::futimens(file_.get(), times) == 0;
  return ::fsync(file_.get()) == 0 ? 0 : errno;
}

int served_file::close(file_call& call) {
  const int problem = ::fstat(file_.get(), &call.shown) == 0 ? 0 : errno;
  file_.reset();
  return problem;
}

}  // namespace ferryfs::remote
