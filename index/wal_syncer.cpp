#include "index/wal_syncer.hpp"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace ferryfs::index {

wal_syncer::wal_syncer(std::string wal, std::chrono::milliseconds longest)
    : path_(std::move(wal)), longest_(longest), thread_([this](const std::stop_token& stop) { run(stop); }) {}

wal_syncer::~wal_syncer() {
  thread_.request_stop();
  thread_.join();
}

void wal_syncer::run(const std::stop_token& stop) {
  bool fails = false;
  while (true) {
    {
      std::unique_lock lock{mutex_};
      const auto has_work = [&] { return committed_ != durable_; };
      wake_.wait(lock, stop, has_work);
      if (has_work()) wake_.wait_for(lock, stop, longest_, [] { return false; });
    }
    try {
      sync();
      fails = false;
    } catch (const std::exception& why) {
      if (!fails) spdlog::error("the last changes would not survive a power cut: {}; it is tried again", why.what());
      fails = true;
    }
    if (stop.stop_requested()) return;
  }
}

void wal_syncer::committed(const std::vector<inode>& concerned) {
  bool first = false;
  {
    const std::lock_guard lock{mutex_};
    first = committed_++ == durable_;
    for (const inode ino : concerned) concerned_[ino] = committed_;
    if (concerned_.size() > most_concerned) concerned_.clear(), all_concerned_ = committed_;
  }
  if (first) wake_.notify_one();
}

void wal_syncer::sync() {
  std::uint64_t wanted = 0;
  {
    const std::lock_guard lock{mutex_};
    wanted = committed_;
  }
  const std::lock_guard alone{syncing_};
  std::uint64_t now = 0;
  {
    const std::lock_guard lock{mutex_};
    if (durable_ >= wanted) return;
    now = committed_;
  }
  if (before_) before_();
  sync_log_file();
  const std::lock_guard lock{mutex_};
  durable_ = now;
  std::erase_if(concerned_, [&](const auto& c) { return c.second <= now; });
}

void wal_syncer::sync(inode ino) {
  {
    const std::lock_guard lock{mutex_};
    if (!concerned_.contains(ino) && all_concerned_ <= durable_) return;
  }
  sync();
}

void wal_syncer::sync_log() {
  const std::lock_guard alone{syncing_};
  sync_log_file();
}

void wal_syncer::sync_log_file() {
  struct stat st {};
  if (!file_ || ::fstat(file_.get(), &st) != 0 || st.st_nlink == 0)
    file_ = unique_fd{::open(path_.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file_ && errno == ENOENT) return;  // all of it was checkpointed, and synced for that
  if (!file_ || ::fdatasync(file_.get()) != 0)
    throw std::system_error(errno, std::generic_category(), "the index's log cannot be synced");
}

}  // namespace ferryfs::index
