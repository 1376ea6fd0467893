#include "tests/remote/fake_archive.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

namespace ferryfs::test {

using remote::reading;

namespace {

const remote::failure ending{remote::cause::cancelled, "the fake ends"};

}  // namespace

fake_archive::fake_archive(std::size_t depth) : depth_(depth), thread_([this] { run(); }) {
  tree_[""] = {{S_IFDIR | 0755, 4096, long_ago}, ""};
}

std::vector<std::string> fake_archive::reads() const {
  const std::lock_guard lock{mutex_};
  return reads_;
}

std::vector<std::string> fake_archive::lists() const {
  const std::lock_guard lock{mutex_};
  return lists_;
}

std::vector<std::string> fake_archive::raised() const {
  const std::lock_guard lock{mutex_};
  return raised_;
}

std::size_t fake_archive::reads_of(const std::string& path) const {
  const auto all = reads();
  return static_cast<std::size_t>(std::count(all.begin(), all.end(), path));
}

std::size_t fake_archive::lists_of(const std::string& path) const {
  const auto all = lists();
  return static_cast<std::size_t>(std::count(all.begin(), all.end(), path));
}

remote::archive::health fake_archive::state() const {
  const std::lock_guard lock{mutex_};
  return health_;
}

void fake_archive::set_listener(std::function<void(const health&)> listener) {
  const std::lock_guard lock{mutex_};
  listener_ = std::move(listener);
}

void fake_archive::post(job j) {
  {
    const std::lock_guard lock{mutex_};
    if (!stopped_) {
      jobs_.push_back(std::move(j));
      changed_.notify_all();
      return;
    }
  }
  j(ending);
}

void fake_archive::run() {
  std::unique_lock lock{mutex_};
  while (true) {
    changed_.wait(lock, [&] { return stopped_ || !jobs_.empty(); });
    if (stopped_) return;
    const job j = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    j(std::nullopt);
    lock.lock();
  }
}

void fake_archive::stop() {
  if (!thread_.joinable()) return;
  std::deque<job> left;
  std::multimap<std::string, std::shared_ptr<reading>> held;
  {
    const std::lock_guard lock{mutex_};
    stopped_ = true;
    changed_.notify_all();
  }
  thread_.join();
  {
    const std::lock_guard lock{mutex_};
    left = std::exchange(jobs_, {});
    held = std::exchange(held_, {});
  }
  for (const auto& j : left) j(ending);
  for (const auto& [path, to] : held) to->finished(ending, {});
}

}  // namespace ferryfs::test
