#include "index/db/writer.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <SQLiteCpp/Transaction.h>

#include <cerrno>
#include <system_error>

#include "index/base/error.hpp"
#include "index/base/exception_barrier.hpp"
#include "index/db/schema.hpp"

namespace ferryfs::index {
namespace {

constexpr std::size_t most_queued = 512;  // jobs; a job is a batch of rows, so this bounds memory
constexpr std::size_t most_grouped = 64;  // jobs a transaction

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
  root.local = side{S_IFDIR | 0755, 4096, 0};
  t.insert(root);
}

}  // namespace

writer::writer(std::string path, std::chrono::milliseconds longest_held)
    : path_(std::move(path)),
      longest_held_(longest_held),
      database_(open_current(path_)),
      transaction_(database_),
      thread_([this] { loop(); }) {
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
  {
    const std::lock_guard lock{mutex_};
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void writer::post(job work, done after) {
  std::unique_lock lock{mutex_};
  if (!busy_ || runner_ != std::this_thread::get_id())
    room_.wait(lock, [&] { return queue_.size() < most_queued || stop_; });
  queue_.push_back({std::move(work), std::move(after)});
  lock.unlock();
  wake_.notify_one();
}

void writer::loop() {
  std::vector<task> group;
  while (true) {
    {
      std::unique_lock lock{mutex_};
      while (busy_ || !has_work()) {
        wants_turn_ = busy_;
        holds_ && !busy_ ? void(wake_.wait_until(lock, due_)) : wake_.wait(lock);
      }
      if (queue_.empty() && !holds_) return;
      busy_ = true;
      runner_ = std::this_thread::get_id();
      while (!queue_.empty() && group.size() < most_grouped) {
        group.push_back(std::move(queue_.front()));
        queue_.pop_front();
      }
    }
    room_.notify_all();
    contain("index", [&] {
      commit_held();
      if (!group.empty() && !commit(group)) commit_one_by_one(group);
    });
    group.clear();
    end_turn();
  }
}

// For its own thread.
bool writer::has_work() const {
  return !queue_.empty() || stop_ || (holds_ && std::chrono::steady_clock::now() >= due_);
}

void writer::end_turn() {
  bool more = false;
  {
    const std::lock_guard lock{mutex_};
    busy_ = false;
    more = std::exchange(wants_turn_, false) || has_work();
  }
  if (more) wake_.notify_one();
  free_.notify_all();
}

// Waits for it. False: nothing is held, or it is this thread's already.
bool writer::take_turn() {
  if (!holds_) return false;
  std::unique_lock lock{mutex_};
  if (busy_ && runner_ == std::this_thread::get_id()) return false;
  free_.wait(lock, [&] { return !busy_ || !holds_; });
  if (!holds_) return false;
  busy_ = true;
  runner_ = std::this_thread::get_id();
  return true;
}

std::optional<writer::turn> writer::held() {
  if (!take_turn()) return std::nullopt;
  return std::optional<turn>{std::in_place, *this};
}

void writer::settle() {
  if (!take_turn()) return;
  const turn mine{*this};
  commit_held();
}

void writer::drain() {
  settle();
  std::unique_lock lock{mutex_};
  free_.wait(lock, [&] { return !busy_ && queue_.empty(); });
}

void writer::hold(const job& work) {
  try {
    if (!open_) open_.emplace(database_, at_once);
    work(transaction_);
  } catch (...) {
    lose_held(text_of(std::current_exception()));
    throw;
  }
  if (holds_) return;
  {
    const std::lock_guard lock{mutex_};
    due_ = std::chrono::steady_clock::now() + longest_held_;
    holds_ = true;
  }
  wake_.notify_one();  // to commit it when it is due
}

void writer::commit_held() {
  if (!open_) return;
  try {
    transaction_.ledger_.flush();
    open_->commit();
    nothing_held();
    tell();
  } catch (...) {
    lose_held(text_of(std::current_exception()));
  }
}

void writer::lose_held(const std::string& why) {
  transaction_.rolled_back();
  nothing_held();
  if (!lost_) return;
  // Told later and by its own thread: who borrows a reader may have locks that the one who is told needs.
  const std::lock_guard lock{mutex_};
  queue_.push_back({[](transaction&) {}, [this, why](std::exception_ptr) { lost_(why); }});
}

// Whoever waits for that goes on, though it still is this thread's turn.
void writer::nothing_held() {
  open_.reset();
  {
    const std::lock_guard lock{mutex_};
    holds_ = false;
  }
  free_.notify_all();
}

bool writer::run_here(const job& work, commits when) {
  {
    const std::lock_guard lock{mutex_};
    if (busy_ || !queue_.empty() || stop_) return false;
    busy_ = true;
    runner_ = std::this_thread::get_id();
  }
  const turn mine{*this};
  if (when == commits::later) return hold(work), true;
  commit_held();
  std::exception_ptr failure;
  std::vector<task> alone;
  alone.push_back({work, [&](std::exception_ptr why) { failure = why; }});
  commit_one_by_one(alone);
  if (failure) std::rethrow_exception(failure);
  return true;
}

// One transaction for all. False: one of the jobs failed, and nothing was stored.
bool writer::commit(std::vector<task>& group) {
  try {
    SQLite::Transaction all{database_, at_once};
    for (auto& one : group) one.work(transaction_);
    transaction_.ledger_.flush();
    all.commit();
  } catch (...) {
    transaction_.rolled_back();
    return false;
  }
  tell();
  for (const auto& one : group) conclude(one, nullptr);
  return true;
}

// Whatever that throws, the job is done, and the others are told.
void writer::conclude(const task& one, const std::exception_ptr& failure) noexcept {
  if (one.after) contain("a change of the index is made, and then", [&] { one.after(failure); });
}

// Finds the job that failed and spares the others its fate.
void writer::commit_one_by_one(std::vector<task>& group) {
  for (auto& one : group) {
    std::exception_ptr failure;
    try {
      SQLite::Transaction alone{database_, at_once};
      one.work(transaction_);
      transaction_.ledger_.flush();
      alone.commit();
    } catch (...) {
      failure = std::current_exception();
      transaction_.rolled_back();
    }
    tell();
    conclude(one, failure);
  }
}

void writer::tell() noexcept {
  ++commits_;
  if (!transaction_.promised_.empty())
    contain("a change of the index is made, and its promise", [&] { keep_promises(); });
  if (transaction_.changes_.empty()) return;
  if (observer_)
    contain("a change of the index is made, and its observer", [&] { observer_(std::move(transaction_.changes_)); });
  transaction_.changes_.clear();
}

void writer::keep_promises() {
  {
    const std::lock_guard lock{promised_mutex_};
    promised_.insert(transaction_.promised_.begin(), transaction_.promised_.end());
  }
  transaction_.promised_.clear();
  if (promise_told_) promise_told_();
}

void writer::make_durable() {
  settle();
  sync_log();
}

void writer::make_durable(inode ino) {
  settle();
  {
    const std::lock_guard lock{promised_mutex_};
    if (!promised_.contains(ino) && !syncing_.contains(ino)) return;
  }
  sync_log();
}

// With synchronous=NORMAL a commit is in the WAL, and the WAL is synced before a checkpoint only.
void writer::sync_log() {
  const std::lock_guard one{sync_mutex_};
  const auto upto = commits_.load();
  if (upto == synced_) return;
  {
    const std::lock_guard lock{promised_mutex_};
    syncing_.swap(promised_);
  }
  const auto end = [&](bool synced) {
    const std::lock_guard lock{promised_mutex_};
    if (!synced) promised_.merge(syncing_);
    syncing_.clear();
  };
  const std::string log = path_ + "-wal";
  const int fd = ::open(log.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  const int problem = fd < 0 ? (errno == ENOENT ? 0 : errno)  // checkpointed, and gone
                             : (::fdatasync(fd) == 0 ? 0 : errno);
  if (fd >= 0) ::close(fd);
  end(problem == 0);
  if (problem != 0) throw std::system_error{problem, std::generic_category(), log + " cannot be made durable"};
  synced_ = upto;
}

}  // namespace ferryfs::index
