#include "remote/destination/archive_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <string_view>
#include <thread>

#include "index/base/clock.hpp"
#include "index/base/disk.hpp"
#include "index/base/thread.hpp"
#include "remote/destination/disk_error.hpp"

namespace ferryfs::remote {
namespace {

// A mount that was just taken off has its index to close.
bool lock_within(int fd, std::chrono::milliseconds time) {
  const auto end = steady_now() + time;
  while (disk().flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (steady_now() > end) return false;
    sleep_for(std::chrono::milliseconds(50));
  }
  return true;
}

std::string holder_of(int lock) {
  char text[4200];
  const ssize_t n = disk().pread(lock, text, sizeof text, 0);
  return n <= 0 ? "another process" : printable(std::string_view(text, static_cast<std::size_t>(n)));
}

}  // namespace

unique_fd lock_archive(const unique_fd& home, const std::string& archive, const std::string& mountpoint) {
  const std::string path = archive + '/' + std::string(own_directory) + "/lock";
  unique_fd file{disk().openat(home.get(), "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644)};
  if (!file) throw_disk_error(path, errno, "check its permissions");
  if (!lock_within(file.get(), std::chrono::seconds(3)))
    throw error(exit_code::local, fmt::format("{}: the archive is in use ({}); umount it or wait for it to end",
                                              printable(archive), holder_of(file.get())));
  const std::string text = fmt::format("pid {}{}{}", ::getpid(), mountpoint.empty() ? "" : ", mounted at ", mountpoint);
  if (disk().ftruncate(file.get(), 0) != 0 || disk().pwrite(file.get(), text.data(), text.size(), 0) < 0)
    throw_disk_error(path, errno, "free some space");
  return file;
}

}  // namespace ferryfs::remote
