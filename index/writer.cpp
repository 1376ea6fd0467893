#include "index/writer.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <SQLiteCpp/Transaction.h>

#include "index/error.hpp"
#include "index/schema.hpp"

namespace ferryfs::index {
namespace {

constexpr std::size_t most_queued = 512;  // jobs; a job is a batch of rows, so this bounds memory
constexpr std::size_t most_grouped = 64;  // jobs a transaction

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

writer::writer(std::string path)
    : path_(std::move(path)), database_(open_current(path_)), transaction_(database_), thread_([this] { loop(); }) {
  try {
    run(make_root);
  } catch (const SQLite::Exception& cause) {
    {
      const std::lock_guard lock{mutex_};
      stop_ = true;
    }
    wake_.notify_all();
    thread_.join();
    throw_index_error(path_, cause);
  }
}

writer::~writer() {
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
      wake_.wait(lock, [&] { return !busy_ && (!queue_.empty() || stop_); });
      if (queue_.empty()) return;
      busy_ = true;
      runner_ = std::this_thread::get_id();
      while (!queue_.empty() && group.size() < most_grouped) {
        group.push_back(std::move(queue_.front()));
        queue_.pop_front();
      }
    }
    room_.notify_all();
    if (!commit(group)) commit_one_by_one(group);
    group.clear();
    end_turn();
  }
}

void writer::end_turn() {
  {
    const std::lock_guard lock{mutex_};
    busy_ = false;
  }
  wake_.notify_one();
}

bool writer::run_here(const job& work) {
  {
    const std::lock_guard lock{mutex_};
    if (busy_ || !queue_.empty() || stop_) return false;
    busy_ = true;
    runner_ = std::this_thread::get_id();
  }
  std::exception_ptr failure;
  std::vector<task> alone;
  alone.push_back({work, [&](std::exception_ptr why) { failure = why; }});
  commit_one_by_one(alone);
  end_turn();
  if (failure) std::rethrow_exception(failure);
  return true;
}

// One transaction for all. False: one of the jobs failed, and nothing was stored.
bool writer::commit(std::vector<task>& group) {
  try {
    SQLite::Transaction all{database_};
    for (auto& one : group) one.work(transaction_);
    transaction_.ledger_.flush();
    all.commit();
  } catch (const std::exception&) {
    transaction_.ledger_.forget();
    transaction_.changes_.clear();
    return false;
  }
  tell();
  for (auto& one : group)
    if (one.after) one.after(nullptr);
  return true;
}

// Finds the job that failed and spares the others its fate.
void writer::commit_one_by_one(std::vector<task>& group) {
  for (auto& one : group) {
    std::exception_ptr failure;
    try {
      SQLite::Transaction alone{database_};
      one.work(transaction_);
      transaction_.ledger_.flush();
      alone.commit();
      tell();
    } catch (const std::exception&) {
      failure = std::current_exception();
      transaction_.ledger_.forget();
      transaction_.changes_.clear();
    }
    if (one.after) one.after(failure);
  }
}

void writer::tell() {
  if (transaction_.changes_.empty()) return;
  if (observer_) observer_(std::move(transaction_.changes_));
  transaction_.changes_.clear();
}

// With synchronous=NORMAL a commit is in the WAL, and the WAL is synced before a checkpoint only.
void writer::make_durable() {
  run([](transaction&) {});
  const int wal = ::open((path_ + "-wal").c_str(), O_RDONLY | O_CLOEXEC);
  if (wal < 0) return;  // checkpointed, and gone
  ::fdatasync(wal);
  ::close(wal);
}

}  // namespace ferryfs::index
