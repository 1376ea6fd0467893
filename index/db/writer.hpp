// The one writer of the index: jobs from any thread, run in order, many in one transaction on its own thread; or, where
// the caller waits for its job and no other is queued, on the caller's, which saves two changes of threads.
#pragma once

#include <SQLiteCpp/Transaction.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "index/db/database.hpp"
#include "index/db/exclusive_access.hpp"
#include "index/db/job.hpp"
#include "index/db/log_sync.hpp"
#include "index/db/transaction.hpp"

namespace ferryfs::index {

class writer {
 public:
  using job = index::job;
  using completion = index::completion;
  using listener = std::function<void(std::vector<change>)>;

  // Opens (or makes) and migrates the index at `path` and makes the root's row. Throws ferryfs::error (local).
  // `longest_pending`: for how long a commit may be deferred.
  explicit writer(std::string path, std::chrono::milliseconds longest_pending = std::chrono::milliseconds{50});
  // Runs what is queued, then stops.
  ~writer();
  writer(const writer&) = delete;
  writer& operator=(const writer&) = delete;

  // Queues a job. Blocks while too many are queued, but never inside a job.
  void post(job work, completion after = {});

  // Runs a job and waits for its commit; returns what the job returned, or throws what it threw.
  template <typename Work>
  auto run(Work work) -> std::invoke_result_t<Work, transaction&>;

  // The same without waiting for the commit, which comes soon, and before any other. Until then the change is seen by
  // jobs and through pending() alone. For changes that a scan of the destination would find as well: they are lost
  // when the process is killed meanwhile, and when the commit fails (see on_rollback).
  template <typename Work>
  auto run_deferred(Work work) -> std::invoke_result_t<Work, transaction&>;

  // Commits the changes that are pending.
  void commit_pending();
  // The same, and waits until all that is queued has run and its completions were called.
  void drain();

  // The rows with the changes that are pending, for as long as this lives; other jobs wait for that. To be read only.
  class pending_rows {
   public:
    explicit pending_rows(writer& of) : of_(&of) {}
    transaction& rows() const noexcept;

   private:
    struct releaser {
      void operator()(writer* w) const noexcept;
    };
    std::unique_ptr<writer, releaser> of_;
  };
  // Nothing, where nothing is pending.
  std::optional<pending_rows> pending();

  // All that was committed survives a power cut when this returns. Throws std::system_error.
  void sync();
  // The same, where something was promised of the entry (see transaction::promise) that does not survive one yet.
  void sync(inode ino);

  // The callbacks. Each waits for a running job, and is not to be set inside one.
  // Called with the reason, on the writer's thread, when pending changes were rolled back.
  void on_rollback(std::function<void(const std::string&)> call);
  // Called after each commit that promised something, on the thread of the commit.
  void on_promise(std::function<void()> call);
  // Called after each commit with what changed, on the thread of the commit.
  void on_change(listener call);
  // See transaction::on_departure.
  void on_departure(transaction::departure call);
  // The answer to transaction::is_written; called inside jobs.
  void set_written_query(std::function<bool(inode)> is_written);

 private:
  enum class commit { now, deferred };
  template <typename Work>
  auto run(Work work, commit when) -> std::invoke_result_t<Work, transaction&>;
  // Runs a job on the caller's thread. False: others are queued or running, and it has to be queued.
  bool run_here(const job& work, commit when);

  void loop();
  void end();
  void run_and_defer(const job& work) REQUIRES(access_);
  void finish_pending() REQUIRES(access_);
  void roll_back_pending(const std::string& why) REQUIRES(access_);
  bool run_group(std::vector<queued_job>& group) REQUIRES(access_);
  void run_alone(const queued_job& one) REQUIRES(access_);
  void notify() noexcept REQUIRES(access_);
  static void complete(const queued_job& one, const std::exception_ptr& failure) noexcept;

  std::string path_;
  std::chrono::milliseconds longest_pending_;
  exclusive_access access_;
  SQLite::Database database_ GUARDED_BY(access_);
  transaction transaction_ GUARDED_BY(access_);
  std::optional<SQLite::Transaction> pending_ GUARDED_BY(access_);
  listener on_change_ GUARDED_BY(access_);
  std::function<void(const std::string&)> on_rollback_ GUARDED_BY(access_);
  std::function<void()> on_promise_ GUARDED_BY(access_);
  log_sync log_;
  thread thread_;
};

}  // namespace ferryfs::index

#include "index/base/thread.hpp"
#include "index/db/run_job.hpp"
