// The tasks that no connection has taken yet: demanded files first, then looks at single paths, listings, background.
#pragma once

#include <array>
#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "remote/sftp/task.hpp"
#include "remote/unique_fd.hpp"

namespace ferryfs::remote::sftp {

// Ends the poll of one connection's thread. `ring` may be called from any thread, and costs nothing while the thread is
// at work. The thread announces its sleep, looks for work once more, polls, and is awake again.
class waker {
 public:
  waker();
  int fd() const noexcept { return event_.get(); }
  void ring() noexcept;
  void fall_asleep() noexcept { asleep_ = true; }
  void wake_up() noexcept;

 private:
  unique_fd event_;
  std::atomic<bool> asleep_ = false;
};

// Threads: any. While it is closed, what is put in is refused.
class queue {
 public:
  enum class line { demand, look, listing, background };

  // False, and nothing queued, while closed.
  bool put(std::shared_ptr<task> t, line where);
  bool has(line l);
  // The next task of a line, or null.
  std::shared_ptr<task> take(line from);
  // The file's task moves to the front of demand if it is still here.
  void raise(const std::shared_ptr<reading>& which);

  // Refuses tasks until `open`; returns what was queued.
  std::vector<std::shared_ptr<task>> close();
  void open();

  void stop() noexcept { stopped_ = true; }
  const std::atomic<bool>& stopped() const noexcept { return stopped_; }

 private:
  std::deque<std::shared_ptr<task>>& at(line l) { return lines_[static_cast<std::size_t>(l)]; }

  std::mutex mutex_;
  std::array<std::deque<std::shared_ptr<task>>, 4> lines_;
  bool closed_ = false;
  std::atomic<bool> stopped_ = false;
};

}  // namespace ferryfs::remote::sftp
