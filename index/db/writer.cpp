#include "index/db/writer.hpp"

#include <SQLiteCpp/Transaction.h>

#include <utility>

#include "index/base/error.hpp"
#include "index/base/exception_barrier.hpp"
#include "index/db/schema.hpp"

namespace ferryfs::index {
namespace {

// A transaction that reads first and writes then is refused with SQLITE_BUSY, without waiting, where a reader has the
// lock for a moment, as it has while it looks at a WAL header that is just being written (wal.c, walIndexReadHdr).
constexpr auto at_once = SQLite::TransactionBehavior::IMMEDIATE;

SQLite::Database open_current(const std::string& path) {
  auto database = open_database(path, access::read_write);
  try {
    migrate(database);
  } catch (const SQLite::Exception& cause) {
    throw_index_error(path, cause);
  }
  return database;
}

void make_root(transaction& t) {
  if (t.by_inode(root_inode)) return;
  entry root;
  root.ino = root_inode;
  root.state = state::added;
  root.day = 19700101;
  root.local = file_facts{S_IFDIR | 0755, 4096, 0};
  t.insert(root);
}

}  // namespace

writer::writer(std::string path, std::chrono::milliseconds longest_pending)
    : path_(std::move(path)),
      longest_pending_(longest_pending),
      database_(open_current(path_)),
      transaction_(database_),
      log_(path_),
      thread_("index", [this](const std::stop_token&) { loop(); }) {
  try {
    run(make_root);
    reserve_log(path_);
  } catch (const SQLite::Exception& cause) {
    end();
    throw_index_error(path_, cause);
  } catch (...) {
    end();
    throw;
  }
}

writer::~writer() { end(); }

void writer::end() {
  access_.stop();
  thread_.join();
}

void writer::post(job work, completion after) { access_.post({std::move(work), std::move(after)}); }

void writer::loop() {
  std::vector<queued_job> group;
  while (access_.acquire_group(group)) {
    const access_scope mine{access_, access_scope::adopt::acquired};
    contain("index", [&]() REQUIRES(access_) {
      finish_pending();
      if (!group.empty() && !run_group(group))
        for (const auto& one : group) run_alone(one);
    });
    group.clear();
  }
}

bool writer::run_here(const job& work, commit when) {
  if (!access_.try_acquire()) return false;
  const access_scope mine{access_, access_scope::adopt::acquired};
  if (when == commit::deferred) return run_and_defer(work), true;
  finish_pending();
  std::exception_ptr failure;
  run_alone({work, [&](std::exception_ptr why) { failure = why; }});
  if (failure) std::rethrow_exception(failure);
  return true;
}

// The access goes to the caller until the result ends, which the analysis cannot follow through an optional.
std::optional<writer::pending_rows> writer::pending() NO_THREAD_SAFETY_ANALYSIS {
  if (!access_.acquire_pending()) return std::nullopt;
  return std::optional<pending_rows>{std::in_place, *this};
}

// As above.
transaction& writer::pending_rows::rows() const noexcept NO_THREAD_SAFETY_ANALYSIS { return of_->transaction_; }

// As above.
void writer::pending_rows::releaser::operator()(writer* w) const noexcept NO_THREAD_SAFETY_ANALYSIS {
  w->access_.release();
}

void writer::commit_pending() {
  if (!access_.acquire_pending()) return;
  const access_scope mine{access_, access_scope::adopt::acquired};
  finish_pending();
}

void writer::drain() {
  commit_pending();
  access_.wait_until_free();
}

void writer::run_and_defer(const job& work) {
  const level_scope uncommitted{lock_level::index_transaction};  // readers wait for this thread
  try {
    if (!pending_) pending_.emplace(database_, at_once);
    work(transaction_);
  } catch (...) {
    roll_back_pending(text_of(std::current_exception()));
    throw;
  }
  if (!access_.has_pending()) access_.set_pending(longest_pending_);
}

void writer::finish_pending() {
  if (!pending_) return;
  try {
    transaction_.counter_deltas_.flush();
    pending_->commit();
    pending_.reset();
    access_.clear_pending();
    notify();
  } catch (...) {
    roll_back_pending(text_of(std::current_exception()));
  }
}

void writer::roll_back_pending(const std::string& why) {
  transaction_.rolled_back();
  pending_.reset();
  access_.clear_pending();
  if (!on_rollback_) return;
  // Called later and on the writer's thread: a thread that borrows a reader may hold locks that the callback takes.
  access_.post({[](transaction&) {}, [call = on_rollback_, why](std::exception_ptr) { call(why); }});
}

// One transaction for all. False: one of the jobs failed, and nothing was stored.
bool writer::run_group(std::vector<queued_job>& group) {
  try {
    SQLite::Transaction all{database_, at_once};
    for (auto& one : group) one.work(transaction_);
    transaction_.counter_deltas_.flush();
    all.commit();
  } catch (...) {
    transaction_.rolled_back();
    return false;
  }
  notify();
  for (const auto& one : group) complete(one, nullptr);
  return true;
}

// After its group failed, finds the job that failed and spares the others its fate.
void writer::run_alone(const queued_job& one) {
  std::exception_ptr failure;
  try {
    SQLite::Transaction alone{database_, at_once};
    one.work(transaction_);
    transaction_.counter_deltas_.flush();
    alone.commit();
  } catch (...) {
    failure = std::current_exception();
    transaction_.rolled_back();
  }
  notify();
  complete(one, failure);
}

// Whatever that throws, the job is done, and the others' completions are called.
void writer::complete(const queued_job& one, const std::exception_ptr& failure) noexcept {
  if (one.after) contain("a change of the index is made, and then", [&] { one.after(failure); });
}

void writer::notify() noexcept {
  log_.add_commit();
  if (!transaction_.promised_.empty())
    contain("a change of the index is made, and its promise", [&]() REQUIRES(access_) {
      log_.add_promises(transaction_.promised_);
      transaction_.promised_.clear();
      if (on_promise_) on_promise_();
    });
  if (transaction_.changes_.empty()) return;
  if (on_change_)
    contain("a change of the index is made, and its observer",
            [&]() REQUIRES(access_) { on_change_(std::move(transaction_.changes_)); });
  transaction_.changes_.clear();
}

void writer::sync() {
  commit_pending();
  log_.sync();
}

void writer::sync(inode ino) {
  commit_pending();
  log_.sync(ino);
}

void writer::on_rollback(std::function<void(const std::string&)> call) {
  const access_scope mine{access_};
  on_rollback_ = std::move(call);
}

void writer::on_promise(std::function<void()> call) {
  const access_scope mine{access_};
  on_promise_ = std::move(call);
}

void writer::on_change(listener call) {
  const access_scope mine{access_};
  on_change_ = std::move(call);
}

void writer::on_departure(transaction::departure call) {
  const access_scope mine{access_};
  transaction_.on_departure(std::move(call));
}

void writer::set_written_query(std::function<bool(inode)> is_written) {
  const access_scope mine{access_};
  transaction_.is_written = std::move(is_written);
}

}  // namespace ferryfs::index
