// Ends the poll of one thread: another thread that has work for it notifies it.
#pragma once

#include <atomic>

#include "remote/files/unique_fd.hpp"

namespace ferryfs::remote::sftp {

// `notify` may be called from any thread, and costs one atomic exchange while the notified thread is at work. That
// thread announces its sleep, looks for work once more, polls `fd`, and is awake again.
class event_notifier {
 public:
  event_notifier();
  int fd() const noexcept { return event_.get(); }
  void notify() noexcept;
  void fall_asleep() noexcept { asleep_ = true; }
  void wake_up() noexcept;

 private:
  unique_fd event_;
  std::atomic<bool> asleep_ = false;
};

}  // namespace ferryfs::remote::sftp
