// The threads that make an archive's calls on a directory: their queue, and whether the directory answers. While it
// does not, jobs are refused at once.
//
// Threads: each worker runs jobs with its own file_calls; the reporter tells the listener, and refuses jobs while an
// answer is overdue, as the workers may all be waiting.
// Locks: mutex_ guards the queue and what is known of the answers; nothing else is locked under it. No job and no
// listener runs under it.
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "index/base/mutex.hpp"
#include "index/base/thread.hpp"
#include "remote/files/unique_fd.hpp"
#include "remote/source/archive.hpp"
#include "remote/source/local/file_calls.hpp"

namespace ferryfs::remote {

class directory_workers {
 public:
  struct job {
    std::shared_ptr<reading> file;  // of a read, by which `promote` finds it
    // With the reason where it is refused; then there are no calls.
    std::function<void(const std::optional<failure>& refused, file_calls* files)> run;
  };

  // `answers`: false where the directory is known not to answer; then the first of `state` says so. Throws failure.
  directory_workers(std::string root_path, std::chrono::milliseconds deadline, bool answers);
  ~directory_workers() { stop(); }

  // Runs the job on a worker, or refuses it on the reporter's thread; on the calling thread once all is stopped.
  void put(job j, priority where);
  // The job that reads the file goes ahead of all others if it is still in the background lane.
  void promote(const std::shared_ptr<reading>& file);

  archive::health state() const;
  // `on_change` is called by the reporter whenever `reachable` changes.
  void set_listener(std::function<void(const archive::health&)> on_change);

  // Refuses every job. Blocks until the threads have ended; waits for no answer.
  void stop();
  bool is_stopping() const noexcept { return stopping_; }

 private:
  void work(const std::stop_token& stop, bool background_too, bool answers);
  void run_jobs(const std::stop_token& stop, file_calls& files, bool background_too);
  void wait_until_answered(file_calls& files);
  void record_overdue(const failure& why);
  void record_still_overdue(const failure& why);
  void report(const std::stop_token& stop);
  bool has_job(bool background_too) const REQUIRES(mutex_);
  bool has_report() const REQUIRES(mutex_);

  const std::string root_path_;
  const std::chrono::milliseconds deadline_;
  const unique_fd stop_event_;  // readable once all calls are to end
  std::atomic<bool> stopping_ = false;

  mutable mutex mutex_{lock_level::leaf};
  condition changed_;
  std::deque<job> demand_ GUARDED_BY(mutex_), background_ GUARDED_BY(mutex_);
  // Workers that wait for an overdue answer; while there are any, no other job is begun.
  unsigned overdue_ GUARDED_BY(mutex_) = 0;
  failure last_ GUARDED_BY(mutex_);                    // why
  bool reported_reachable_ GUARDED_BY(mutex_) = true;  // to the listener
  bool stopped_ GUARDED_BY(mutex_) = false;
  std::function<void(const archive::health&)> on_change_ GUARDED_BY(mutex_);
  std::vector<thread> threads_;
};

}  // namespace ferryfs::remote
