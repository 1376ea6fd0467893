#include "fs/mount/read_positions.hpp"

namespace ferryfs::fs {

void read_positions::keep(inode directory, off_t offset, const std::string& name) {
  const std::lock_guard lock{mutex_};
  if (!names_.insert_or_assign({directory, offset}, name).second) return;
  oldest_first_.emplace_back(directory, offset);
  if (oldest_first_.size() <= most) return;
  names_.erase(oldest_first_.front());
  oldest_first_.pop_front();
}

std::optional<std::string> read_positions::find(inode directory, off_t offset) {
  const std::lock_guard lock{mutex_};
  const auto at = names_.find({directory, offset});
  if (at == names_.end()) return std::nullopt;
  return at->second;
}

}  // namespace ferryfs::fs
