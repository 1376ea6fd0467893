#include "fs/mount/read_positions.hpp"

namespace ferryfs::fs {

void read_positions::keep(inode directory, off_t offset, const std::string& name) {
  const std::lock_guard lock{mutex_};
  const key at{directory, offset};
  if (const auto known = places_.find(at); known != places_.end()) {
    known->second.name = name;
    return oldest_first_.splice(oldest_first_.end(), oldest_first_, known->second.age);
  }
  places_.emplace(at, place{name, oldest_first_.insert(oldest_first_.end(), at)});
  if (places_.size() <= most) return;
  places_.erase(oldest_first_.front());
  oldest_first_.pop_front();
}

void read_positions::correct(inode directory, off_t offset, const std::string& name) {
  const std::lock_guard lock{mutex_};
  if (const auto known = places_.find({directory, offset}); known != places_.end()) known->second.name = name;
}

bool read_positions::any_in(inode directory) {
  const std::lock_guard lock{mutex_};
  const auto first = places_.lower_bound({directory, 0});
  return first != places_.end() && first->first.first == directory;
}

std::optional<std::string> read_positions::find(inode directory, off_t offset) {
  const std::lock_guard lock{mutex_};
  const auto at = places_.find({directory, offset});
  if (at == places_.end()) return std::nullopt;
  return at->second.name;
}

}  // namespace ferryfs::fs
