#include "index/db/log_sync.hpp"
#include "index/base/disk.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace ferryfs::index {
namespace {

// Returns 0 or an errno.
int sync_file(const std::string& path) {
  const int fd = disk().open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return errno == ENOENT ? 0 : errno;  // ENOENT: checkpointed, and gone
  const int problem = disk().fdatasync(fd) == 0 ? 0 : errno;
  disk().close(fd);
  return problem;
}

}  // namespace

void log_sync::add_promises(const std::vector<inode>& inodes) {
  const lock held{mutex_};
  promised_.insert(inodes.begin(), inodes.end());
}

void log_sync::sync(inode ino) {
  {
    const lock held{mutex_};
    if (!promised_.contains(ino) && !in_sync_.contains(ino)) return;
  }
  sync();
}

void log_sync::sync() {
  lock held{mutex_};
  ended_.wait(held, [&]() REQUIRES(mutex_) { return !runs_; });
  const auto upto = commits_.load();
  if (upto == synced_) return;
  runs_ = true;
  in_sync_.swap(promised_);
  held.unlock();
  const int problem = sync_file(log_);
  held.relock();
  if (problem == 0)
    synced_ = upto;
  else
    promised_.merge(in_sync_);
  in_sync_.clear();
  runs_ = false;
  held.unlock();
  ended_.notify_all();
  if (problem != 0) throw std::system_error{problem, std::generic_category(), log_ + " cannot be made durable"};
}

}  // namespace ferryfs::index
