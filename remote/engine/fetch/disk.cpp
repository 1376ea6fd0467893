#include "remote/engine/fetch/disk.hpp"

#include "index/base/background.hpp"
#include "index/base/exception_barrier.hpp"

namespace ferryfs::remote {
namespace {

constexpr std::uint64_t most_bytes = 6U << 20;  // a thread's queue

}  // namespace

disk::disk(std::size_t threads) {
  for (std::size_t i = 0; i < threads; ++i) {
    lanes_.push_back(std::make_unique<lane>());
    auto& l = *lanes_.back();
    l.thread = std::thread{[&l] {
      take_long_turns();
      run(l);
    }};
  }
}

disk::~disk() {
  for (auto& l : lanes_) {
    const std::lock_guard lock{l->mutex};
    l->stop = true;
    l->wake.notify_all();
  }
  for (auto& l : lanes_) l->thread.join();
}

void disk::post(inode picture, std::uint64_t bytes, std::function<void()> work) {
  lane& l = *lanes_[picture % lanes_.size()];
  std::unique_lock lock{l.mutex};
  if (l.bytes >= most_bytes) {
    ++l.blocked;
    l.room.wait(lock, [&] { return l.bytes < most_bytes / 2; });
    --l.blocked;
  }
  l.bytes += bytes;
  l.jobs.push_back({bytes, std::move(work)});
  // One that is at work looks for more by itself: thousands of small files a second need no thousands of wake-ups.
  const bool asleep = l.jobs.size() == 1;
  lock.unlock();
  if (asleep) l.wake.notify_one();
}

void disk::run(lane& l) {
  std::unique_lock lock{l.mutex};
  while (true) {
    l.wake.wait(lock, [&] { return !l.jobs.empty() || l.stop; });
    if (l.jobs.empty()) return;
    auto batch = std::exchange(l.jobs, {});
    lock.unlock();
    for (job& j : batch) {
      contain("writing a picture", j.work);
      j.work = nullptr;  // what it holds is freed before it is counted as gone
      lock.lock();
      l.bytes -= j.bytes;
      const bool room = l.blocked > 0 && l.bytes < most_bytes / 2;
      lock.unlock();
      if (room) l.room.notify_all();
    }
    lock.lock();
  }
}

}  // namespace ferryfs::remote
