// The threads that write what arrives. Work for one picture is done in order, by one thread; a full queue makes the
// connection that brings more wait, so memory stays bounded and the network slows down to the disk.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "index/base/mutex.hpp"
#include "index/base/thread.hpp"
#include "index/model/entry.hpp"

namespace ferryfs::remote {

class write_pool {
 public:
  explicit write_pool(std::size_t threads);
  // Does what is queued, then stops.
  ~write_pool();

  // Queues work that holds `bytes` of memory. Blocks while the thread has too many of them. Work that fails reports
  // that by itself: what it throws is only logged. Threads: any.
  void post(inode picture, std::uint64_t bytes, std::function<void()> work);

 private:
  struct item {
    std::uint64_t bytes;
    std::function<void()> work;
  };
  // One thread and its queue.
  struct shard {
    ferryfs::mutex mutex{lock_level::leaf};
    condition wake, room;
    std::vector<item> queue GUARDED_BY(mutex);
    std::uint64_t bytes GUARDED_BY(mutex) = 0;  // of memory, of what is not done yet
    unsigned blocked GUARDED_BY(mutex) = 0;     // threads that wait for room
    bool stop GUARDED_BY(mutex) = false;
    thread writer;
  };
  static void run(shard& s);
  std::vector<std::unique_ptr<shard>> shards_;
};

}  // namespace ferryfs::remote
