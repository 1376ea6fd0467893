#include "remote/engine/fetch/write_pool.hpp"

#include <utility>

#include "index/base/exception_barrier.hpp"

namespace ferryfs::remote {
namespace {

constexpr std::uint64_t most_bytes = 6U << 20;  // a thread's queue

}  // namespace

write_pool::write_pool(std::size_t threads) {
  for (std::size_t i = 0; i < threads; ++i) {
    auto& s = *shards_.emplace_back(std::make_unique<shard>());
    s.writer = thread{"disk", [&s](const std::stop_token&) { run(s); }};
  }
}

write_pool::~write_pool() {
  for (auto& s : shards_) {
    const lock held{s->mutex};
    s->stop = true;
    s->wake.notify_all();
  }
  for (auto& s : shards_) s->writer.join();
}

void write_pool::post(inode picture, std::uint64_t bytes, std::function<void()> work) {
  shard& s = *shards_[picture % shards_.size()];
  bool was_idle = false;
  {
    lock held{s.mutex};
    if (s.bytes >= most_bytes) {
      ++s.blocked;
      s.room.wait(held, [&s]() REQUIRES(s.mutex) { return s.bytes < most_bytes / 2; });
      --s.blocked;
    }
    s.bytes += bytes;
    s.queue.push_back({bytes, std::move(work)});
    // A thread that is at work looks for more by itself: thousands of small files a second need no thousands of
    // wake-ups.
    was_idle = s.queue.size() == 1;
  }
  if (was_idle) s.wake.notify_one();
}

void write_pool::run(shard& s) {
  lock held{s.mutex};
  while (true) {
    s.wake.wait(held, [&s]() REQUIRES(s.mutex) { return !s.queue.empty() || s.stop; });
    if (s.queue.empty()) return;
    auto batch = std::exchange(s.queue, {});
    held.unlock();
    for (item& i : batch) {
      contain("writing a picture", i.work);
      i.work = nullptr;  // what it holds is freed before it is counted as gone
      held.relock();
      s.bytes -= i.bytes;
      const bool has_room = s.blocked > 0 && s.bytes < most_bytes / 2;
      held.unlock();
      if (has_room) s.room.notify_all();
    }
    held.relock();
  }
}

}  // namespace ferryfs::remote
