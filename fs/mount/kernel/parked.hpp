// Requests that wait for the network. No thread waits with them: each is answered once, by the event it waits for, by
// an interrupt (Ctrl-C), or by its deadline, which counts from the last sign that the event comes nearer.
//
// Locks: libfuse holds the request's own lock while it calls the interrupt, so no lock of ours is held while the
// request is handed to libfuse.
#pragma once

#include <fuse_lowlevel.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "fs/mount/kernel/reply.hpp"
#include "index/base/mutex.hpp"
#include "index/base/thread.hpp"

namespace ferryfs::fs {

class parked_request : public std::enable_shared_from_this<parked_request> {
 public:
  using replier = std::function<void(fuse_req_t)>;

  explicit parked_request(fuse_req_t req) : req_(req) {}
  // Answers by `reply`, unless it was answered before. Threads: any.
  void answer(const replier& reply);
  bool answered() const noexcept { return answered_; }
  // Called once if an interrupt or, `late`, the deadline is about to answer it, or did.
  void on_abandoned(std::function<void(bool late)> call);

  using clock = std::chrono::steady_clock;
  // When there last was a sign that what it waits for comes nearer: its deadline counts from then on. Asked at the
  // deadline.
  void on_deadline(std::function<clock::time_point()> last_sign);

 private:
  friend class parked_requests;
  static void interrupted(fuse_req_t req, void* self);
  void abandon(bool late);
  clock::time_point last_sign();

  const fuse_req_t req_;
  std::atomic<bool> answered_ = false;
  std::atomic<thread::id> parking_ = 0;  // the thread that hands it to libfuse just now
  std::atomic<bool> early_ = false;      // it was interrupted before it was parked
  mutex mutex_{lock_level::leaf};
  bool abandoned_ GUARDED_BY(mutex_) = false;
  bool late_ GUARDED_BY(mutex_) = false;
  std::function<void(bool)> on_abandoned_ GUARDED_BY(mutex_);
  std::function<clock::time_point()> last_sign_ GUARDED_BY(mutex_);
};

// Runs `begin`, which starts what a parked request waits for; what it throws is answered.
template <typename Begin>
void attempt(const std::shared_ptr<parked_request>& parked, Begin&& begin) {
  try {
    begin();
  } catch (...) {
    const int problem = errno_of_current_exception();
    parked->answer([problem](fuse_req_t req) { fuse_reply_err(req, problem); });
  }
}

class parked_requests {
 public:
  explicit parked_requests(std::chrono::seconds deadline);
  // Answers what is left with ENODEV.
  ~parked_requests();

  // Until the deadline.
  std::shared_ptr<parked_request> park(fuse_req_t req);
  // As long as a command takes.
  std::shared_ptr<parked_request> park_without_deadline(fuse_req_t req);

 private:
  using clock = std::chrono::steady_clock;
  static void hand_over(fuse_req_t req, parked_request& p);
  void watch(const std::stop_token& stop);

  const std::chrono::seconds deadline_;
  mutex mutex_{lock_level::leaf};
  condition wake_;
  std::multimap<clock::time_point, std::shared_ptr<parked_request>> waiting_ GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<parked_request>> commands_ GUARDED_BY(mutex_);  // the answered ones go with the next
  thread watcher_;
};

}  // namespace ferryfs::fs
