#include "remote/source/sftp/queue.hpp"

#include <algorithm>
#include <iterator>

#include "remote/source/sftp/read_task.hpp"

namespace ferryfs::remote::sftp {
namespace {

constexpr std::size_t most_isolated = 10'000;

}  // namespace

bool queue::has(priority_class c) {
  const lock held{mutex_};
  return !at(c).empty();
}

bool queue::put(std::shared_ptr<task> t, priority_class where) {
  const lock held{mutex_};
  if (closed_) return false;
  at(isolates(*t) ? priority_class::alone : where).push_back(std::move(t));
  return true;
}

bool queue::isolates(const task& t) const {
  if (isolated_.empty()) return false;
  const auto* file = dynamic_cast<const read_task*>(&t);
  return file != nullptr && isolated_.contains(file->to()->path());
}

bool queue::is_isolated(const task& t) {
  const lock held{mutex_};
  return isolates(t);
}

void queue::isolate(const std::string& path) {
  const lock held{mutex_};
  if (isolated_.size() == most_isolated) isolated_.clear();
  isolated_.insert(path);
}

void queue::stop_isolating(const std::string& path) {
  const lock held{mutex_};
  isolated_.erase(path);
}

std::shared_ptr<task> queue::take(priority_class from) {
  const lock held{mutex_};
  auto& waiting = at(from);
  if (waiting.empty()) return nullptr;
  auto t = std::move(waiting.front());
  waiting.pop_front();
  return t;
}

void queue::promote(const std::shared_ptr<reading>& file) {
  const lock held{mutex_};
  auto& background = at(priority_class::background);
  const auto queued = std::find_if(background.begin(), background.end(), [&](const auto& t) {
    const auto* reads = dynamic_cast<const read_task*>(t.get());
    return reads != nullptr && reads->to() == file;
  });
  if (queued == background.end()) return;
  background.erase(queued);
  at(priority_class::demand).push_back(std::make_shared<read_task>(file, priority::demand));
}

std::vector<std::shared_ptr<task>> queue::close() {
  const lock held{mutex_};
  closed_ = true;
  std::vector<std::shared_ptr<task>> left;
  for (auto& waiting : classes_) {
    left.insert(left.end(), std::make_move_iterator(waiting.begin()), std::make_move_iterator(waiting.end()));
    waiting.clear();
  }
  return left;
}

void queue::open() {
  const lock held{mutex_};
  closed_ = false;
}

}  // namespace ferryfs::remote::sftp
