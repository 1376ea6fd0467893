#include "remote/source/sftp/queue.hpp"

#include <sys/eventfd.h>

#include <algorithm>
#include <iterator>

#include "remote/source/sftp/read_task.hpp"

namespace ferryfs::remote::sftp {
namespace {

constexpr std::size_t most_shunned = 10'000;

}  // namespace

waker::waker() : event_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

void waker::ring() noexcept {
  if (!asleep_.exchange(false)) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(event_.get(), &one, sizeof one);
}

void waker::wake_up() noexcept {
  asleep_ = false;
  std::uint64_t count = 0;
  [[maybe_unused]] const auto n = ::read(event_.get(), &count, sizeof count);
}

bool queue::has(line l) {
  const std::lock_guard lock{mutex_};
  return !at(l).empty();
}

bool queue::put(std::shared_ptr<task> t, line where) {
  const std::lock_guard lock{mutex_};
  if (closed_) return false;
  at(shuns(*t) ? line::alone : where).push_back(std::move(t));
  return true;
}

// mutex_ is held.
bool queue::shuns(const task& t) const {
  if (shunned_.empty()) return false;
  const auto* file = dynamic_cast<const read_task*>(&t);
  return file != nullptr && shunned_.contains(file->to()->path());
}

bool queue::is_shunned(const task& t) {
  const std::lock_guard lock{mutex_};
  return shuns(t);
}

void queue::shun(const std::string& path) {
  const std::lock_guard lock{mutex_};
  if (shunned_.size() == most_shunned) shunned_.clear();
  shunned_.insert(path);
}

void queue::forgive(const std::string& path) {
  const std::lock_guard lock{mutex_};
  shunned_.erase(path);
}

queue::clock::time_point queue::others_heard(std::size_t number) const noexcept {
  clock::time_point last{};
  for (std::size_t i = 0; i < most_connections; ++i)
    if (i != number % most_connections) last = std::max(last, heard_[i].load());
  return last;
}

std::shared_ptr<task> queue::take(line from) {
  const std::lock_guard lock{mutex_};
  auto& waiting = at(from);
  if (waiting.empty()) return nullptr;
  auto t = std::move(waiting.front());
  waiting.pop_front();
  return t;
}

void queue::raise(const std::shared_ptr<reading>& which) {
  const std::lock_guard lock{mutex_};
  auto& background = at(line::background);
  const auto found = std::find_if(background.begin(), background.end(), [&](const auto& t) {
    const auto* file = dynamic_cast<const read_task*>(t.get());
    return file != nullptr && file->to() == which;
  });
  if (found == background.end()) return;
  background.erase(found);
  at(line::demand).push_back(std::make_shared<read_task>(which, lane::demand));
}

std::vector<std::shared_ptr<task>> queue::close() {
  const std::lock_guard lock{mutex_};
  closed_ = true;
  std::vector<std::shared_ptr<task>> left;
  for (auto& waiting : lines_) {
    left.insert(left.end(), std::make_move_iterator(waiting.begin()), std::make_move_iterator(waiting.end()));
    waiting.clear();
  }
  return left;
}

void queue::open() {
  const std::lock_guard lock{mutex_};
  closed_ = false;
}

}  // namespace ferryfs::remote::sftp
