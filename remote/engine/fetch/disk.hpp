// The threads that write what arrives. Work for one picture is done in order, by one thread; a full queue makes the
// connection that brings more wait, so memory stays bounded and the network slows down to the disk.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "index/model/entry.hpp"

namespace ferryfs::remote {

class disk {
 public:
  explicit disk(std::size_t threads);
  // Does what is queued, then stops.
  ~disk();

  // Queues work that holds `bytes` of memory. Blocks while the thread has too many of them. Work that somebody waits
  // for tells him by itself when it throws.
  void post(inode picture, std::uint64_t bytes, std::function<void()> work);

 private:
  struct job {
    std::uint64_t bytes;
    std::function<void()> work;
  };
  struct lane {
    std::mutex mutex;
    std::condition_variable wake, room;
    std::deque<job> jobs;
    std::uint64_t bytes = 0;
    unsigned blocked = 0;  // threads that wait for room
    bool stop = false;
    std::thread thread;
  };
  static void run(lane& l);
  std::vector<std::unique_ptr<lane>> lanes_;
};

}  // namespace ferryfs::remote
