// Which thread uses the writer's connection, and which jobs wait for it. A capability like a mutex: the connection, its
// statements and the pending transaction are guarded by it. Its states:
//
//                      a thread uses     a transaction of deferred
//                      the connection    jobs is open in it
//   idle               no                no
//   pending            no                yes, to be committed when it is due
//   running            yes               no
//   running_pending    yes               yes
//
//   idle             acquire…       running          set_pending      running_pending   acquire…      pending
//                  ───────────▶                    ───────────▶                      ◀───────────
//                  ◀───────────                    ◀───────────                      ───────────▶
//                    release                        clear_pending                       release
//
// Three kinds of threads acquire it: the writer's own, with a group of queued jobs; a caller's, for its own job, while
// none is queued; a reader's, to commit or to read what is pending.
//
// In the order of locks the first two hold lock_level::index_jobs, as completions run then, and a thread that waits for
// its job waits for theirs as well; the third holds lock_level::index_transaction.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <vector>

#include "index/base/mutex.hpp"
#include "index/base/thread.hpp"
#include "index/db/job.hpp"

namespace ferryfs::index {

class CAPABILITY("access to the writer's connection") exclusive_access {
 public:
  // Queues a job for the writer's thread. Blocks while too many are queued, but never the thread that has the access;
  // so a thread that posts holds no lock that a completion takes.
  void post(queued_job job);

  // For the writer's thread: waits for jobs, or until the pending transaction is due, and moves the jobs to `group`.
  // False: stopped, with nothing left to do.
  bool acquire_group(std::vector<queued_job>& group) TRY_ACQUIRE(true) { return begin_group(group); }
  // For a caller's thread. False: jobs are queued or running, or the writer ends.
  bool try_acquire() TRY_ACQUIRE(true) { return begin_if_idle(); }
  // Waits. False: nothing is pending, or this thread has the access already.
  bool acquire_pending() TRY_ACQUIRE(true) { return begin_if_pending(); }
  // Waits. Not for the thread that has the access already.
  void acquire() ACQUIRE() { begin_when_free(); }
  void release() RELEASE() { end(); }

  // A transaction is open, and stays so when the access is released: for `longest`, if no other commits it before.
  void set_pending(std::chrono::milliseconds longest) REQUIRES(this);
  // It is committed or rolled back. The threads that wait for that go on, though the access is not released yet.
  void clear_pending() REQUIRES(this);
  bool has_pending() const noexcept { return is_pending(state_); }

  // Waits until no job is queued or running.
  void wait_until_free();
  // acquire_group() returns false when all that is queued has run.
  void stop();

 private:
  enum class state : std::uint8_t { idle, pending, running, running_pending };
  static bool is_pending(state s) noexcept { return s == state::pending || s == state::running_pending; }
  static bool is_running(state s) noexcept { return s == state::running || s == state::running_pending; }

  bool begin_group(std::vector<queued_job>& group);
  bool begin_if_idle();
  bool begin_if_pending();
  void begin_when_free();
  void begin() REQUIRES(mutex_);
  void check_order(const lock_place& place) const noexcept;
  void end();
  bool is_running() const REQUIRES(mutex_) { return is_running(state_); }
  bool is_mine() const REQUIRES(mutex_) { return is_running() && runner_ == thread::self(); }
  bool has_work() const REQUIRES(mutex_);

  mutex mutex_{lock_level::leaf};
  [[no_unique_address]] lock_place jobs_{lock_level::index_jobs, source_place::here()};
  [[no_unique_address]] lock_place transaction_{lock_level::index_transaction, source_place::here()};
  condition has_work_, has_room_, is_free_;
  std::deque<queued_job> queue_ GUARDED_BY(mutex_);
  std::atomic<state> state_ = state::idle;    // written with mutex_ held; has_pending() reads it without
  thread::id runner_ GUARDED_BY(mutex_) = 0;  // while a thread uses the connection
  std::chrono::steady_clock::time_point due_ GUARDED_BY(mutex_);  // while a transaction is pending
  bool writer_waits_ GUARDED_BY(mutex_) = false;  // the writer's thread woke up while another used the connection
  bool stop_ GUARDED_BY(mutex_) = false;
};

// Has the access until its own end.
class SCOPED_CAPABILITY access_scope {
 public:
  enum class adopt { acquired };
  explicit access_scope(exclusive_access& of) ACQUIRE(of) : of_(of) { of_.acquire(); }
  access_scope(exclusive_access& of, adopt) REQUIRES(of) : of_(of) {}
  ~access_scope() RELEASE() { of_.release(); }
  access_scope(const access_scope&) = delete;
  access_scope& operator=(const access_scope&) = delete;

 private:
  exclusive_access& of_;
};

}  // namespace ferryfs::index
