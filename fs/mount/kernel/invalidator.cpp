#include "fs/mount/kernel/invalidator.hpp"

#include <iterator>

#include "index/base/exception_barrier.hpp"

namespace ferryfs::fs {

void invalidator::start(fuse_session* session) {
  const lock held{mutex_};
  running_ = true;
  thread_ = thread{"invalidator", [this, session](const std::stop_token& stop) {
                     contain("invalidation", [&] { run(stop, session); });
                   }};
}

void invalidator::stop() {
  {
    const lock held{mutex_};
    running_ = false;
    waiting_.clear();
  }
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void invalidator::notify(std::vector<index::change> changes) {
  {
    const lock held{mutex_};
    if (!running_) return;
    waiting_.insert(waiting_.end(), std::make_move_iterator(changes.begin()), std::make_move_iterator(changes.end()));
  }
  wake_.notify_one();
}

void invalidator::run(const std::stop_token& stop, fuse_session* session) {
  lock held{mutex_};
  while (wake_.wait(held, stop, [&]() REQUIRES(mutex_) { return !waiting_.empty(); })) {
    const auto changes = std::exchange(waiting_, {});
    held.unlock();
    inode last_listing = 0;
    for (const auto& c : changes) {
      if (stop.stop_requested()) return;
      // The kernel need not forget what it does not have: ENOENT is no failure here.
      if (c.what == index::change::what::dentry) {
        fuse_lowlevel_notify_inval_entry(session, c.ino, c.name.data(), c.name.size());
      } else if (c.what == index::change::what::content || c.ino != last_listing) {
        fuse_lowlevel_notify_inval_inode(session, c.ino, 0, 0);
        if (c.what == index::change::what::listing) last_listing = c.ino;
      }
    }
    held.relock();
  }
}

}  // namespace ferryfs::fs
