// The one writer of the index: jobs from any thread, run in order, many in one transaction on its own thread; or, where
// somebody waits for his and no other is queued, on that somebody's, which saves two changes of threads.
#pragma once

#include <SQLiteCpp/Transaction.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_set>
#include <utility>
#include <vector>

#include "index/db/database.hpp"
#include "index/db/transaction.hpp"

namespace ferryfs::index {

class writer {
 public:
  // May be run twice: once more alone, after its group failed. Outside the index it must leave the same then.
  using job = std::function<void(transaction&)>;
  // Called after the commit, on the thread that ran the job, with nothing, or with what the job threw (and then none of
  // the job's changes are stored). Must not block, wait for another job or take a lock that is held by somebody who
  // does. What it throws is logged.
  using done = std::function<void(std::exception_ptr)>;
  using observer = std::function<void(std::vector<change>)>;

  // Opens (or makes) and migrates the index at `path` and makes the root's row. Throws ferryfs::error (local).
  // A change that may be held is, for `longest_held`.
  explicit writer(std::string path, std::chrono::milliseconds longest_held = std::chrono::milliseconds{50});
  // Runs what is queued, then stops.
  ~writer();
  writer(const writer&) = delete;
  writer& operator=(const writer&) = delete;

  // Queues a job. Blocks while too many are queued, but never inside a job.
  void post(job work, done after = {});

  // Runs a job and waits for its commit; returns what the job returned, or throws what it threw.
  template <typename Work>
  auto run(Work work) -> std::invoke_result_t<Work, transaction&>;

  // The same without waiting for the commit, which comes soon, and before any other. Until then the change is seen by
  // jobs and through held() alone. For changes that a scan of the destination would find as well: whoever kills the
  // process meanwhile loses them, and so does a commit that fails (see on_lost).
  template <typename Work>
  auto run_held(Work work) -> std::invoke_result_t<Work, transaction&>;

  // Commits what is held.
  void settle();
  // The same, and waits until all that is queued has run and been told of.
  void drain();
  // Told why, on the writer's thread, when changes that were held are lost. Set before the first job.
  void on_lost(std::function<void(const std::string&)> told) { lost_ = std::move(told); }

  // The rows with the changes that are held, for as long as this lives; others' jobs wait for that. To be read only.
  class turn {
   public:
    explicit turn(writer& owner) : owner_(&owner) {}
    transaction& rows() const noexcept { return owner_->transaction_; }

   private:
    struct giver {
      void operator()(writer* w) const { w->end_turn(); }
    };
    std::unique_ptr<writer, giver> owner_;
  };
  // Nothing, where nothing is held.
  std::optional<turn> held();

  // All that was committed survives a power cut when this returns. Throws std::system_error.
  void make_durable();
  // The same, where something was promised of the entry (see transaction::promise) that does not survive one yet.
  void make_durable(inode ino);
  // Told after each commit that promised something, on the writer's thread. Set before the first job.
  void on_promise(std::function<void()> call) { promise_told_ = std::move(call); }

  // What transaction::is_written asks; called inside jobs. Set before the first job.
  void watch(std::function<bool(inode)> is_written) { transaction_.is_written = std::move(is_written); }

  // Told after each commit what changed. Set before the first job.
  void observe(observer told) { observer_ = std::move(told); }
  // See transaction::on_departure.
  void on_departure(transaction::departure call) { transaction_.on_departure(std::move(call)); }

 private:
  struct task {
    job work;
    done after;
  };
  void loop();
  enum class commits { now, later };
  // Runs a job at once. False: others are queued or running, and it has to wait its turn.
  bool run_here(const job& work, commits when);
  template <typename Work>
  auto run(Work work, commits when) -> std::invoke_result_t<Work, transaction&>;
  void hold(const job& work);
  void commit_held();
  void lose_held(const std::string& why);
  void nothing_held();
  bool has_work() const;
  bool take_turn();
  void end_turn();
  bool commit(std::vector<task>& group);
  void commit_one_by_one(std::vector<task>& group);
  static void conclude(const task& one, const std::exception_ptr& failure) noexcept;
  void tell() noexcept;
  void keep_promises();
  void sync_log();
  void end();

  std::string path_;
  std::chrono::milliseconds longest_held_;
  SQLite::Database database_;
  transaction transaction_;
  observer observer_;
  std::function<void(const std::string&)> lost_;
  std::function<void()> promise_told_;
  std::optional<SQLite::Transaction> open_;  // whose turn it is
  std::mutex mutex_;
  std::condition_variable wake_, room_, free_;
  std::deque<task> queue_;
  bool stop_ = false, busy_ = false;
  bool wants_turn_ = false;  // its own thread was awake while it was another's turn
  std::atomic<bool> holds_ = false;
  std::chrono::steady_clock::time_point due_;  // while it holds
  std::thread::id runner_;                     // while busy
  std::atomic<std::uint64_t> commits_ = 0;
  std::mutex sync_mutex_;     // one syncs; taken before promised_mutex_
  std::uint64_t synced_ = 0;  // commits
  std::mutex promised_mutex_;
  std::unordered_set<inode> promised_, syncing_;  // and not synced; what is being synced
  std::thread thread_;
};

template <typename Work>
auto writer::run(Work work) -> std::invoke_result_t<Work, transaction&> {
  return run(std::move(work), commits::now);
}

template <typename Work>
auto writer::run_held(Work work) -> std::invoke_result_t<Work, transaction&> {
  return run(std::move(work), commits::later);
}

template <typename Work>
auto writer::run(Work work, commits when) -> std::invoke_result_t<Work, transaction&> {
  using result = std::invoke_result_t<Work, transaction&>;
  if constexpr (std::is_void_v<result>) {
    if (run_here([&work](transaction& t) { work(t); }, when)) return;
  } else {
    std::optional<result> got;
    if (run_here([&](transaction& t) { got = work(t); }, when)) return *std::move(got);
  }
  // Shared: the promise must live until set_value has returned, which may be after the future was got.
  auto promise = std::make_shared<std::promise<result>>();
  auto future = promise->get_future();
  auto fulfil = std::make_shared<std::function<void()>>();
  post(
      [&work, promise, fulfil](transaction& t) {
        if constexpr (std::is_void_v<result>) {
          work(t);
          *fulfil = [p = promise.get()] { p->set_value(); };
        } else {
          *fulfil = [p = promise.get(), value = work(t)] { p->set_value(value); };
        }
      },
      [promise, fulfil](std::exception_ptr failure) { failure ? promise->set_exception(failure) : (*fulfil)(); });
  return future.get();
}

}  // namespace ferryfs::index
