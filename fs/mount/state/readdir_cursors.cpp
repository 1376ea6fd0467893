#include "fs/mount/state/readdir_cursors.hpp"

namespace ferryfs::fs {

off_t readdir_cursors::present_offset(inode ino) const {
  const auto stamp = stamps_.find(ino);
  return of(ino) + (stamp == stamps_.end() ? 0 : static_cast<off_t>(stamp->second) << inode_bits);
}

void readdir_cursors::insert(const key& at, const std::string& name) {
  if (const auto known = places_.find(at); known != places_.end())
    return oldest_first_.splice(oldest_first_.end(), oldest_first_, known->second.age);
  places_.emplace(at, place{name, oldest_first_.insert(oldest_first_.end(), at)});
  if (places_.size() <= most) return;
  places_.erase(oldest_first_.front());
  oldest_first_.pop_front();
}

off_t readdir_cursors::offset_of(const entry& e) {
  const lock held{mutex_};
  while (true) {
    const off_t at = present_offset(e.ino);
    const auto known = places_.find({e.parent, at});
    if (known == places_.end() || known->second.name == e.name) return at;
    if (stamps_.size() > most) stamps_.clear();
    auto& stamp = stamps_[e.ino];
    stamp = stamp == last_stamp ? 0 : stamp + 1;
    if (stamp == 0) return at;
  }
}

void readdir_cursors::remember(inode directory, off_t offset, const std::string& name) {
  const lock held{mutex_};
  insert({directory, offset}, name);
}

void readdir_cursors::departs(const entry& e) {
  const lock held{mutex_};
  insert({e.parent, present_offset(e.ino)}, e.name);
}

bool readdir_cursors::any_in(inode directory) {
  const lock held{mutex_};
  const auto first = places_.lower_bound({directory, 0});
  return first != places_.end() && first->first.first == directory;
}

std::optional<std::string> readdir_cursors::find(inode directory, off_t offset) {
  const lock held{mutex_};
  const auto at = places_.find({directory, offset});
  if (at == places_.end()) return std::nullopt;
  return at->second.name;
}

}  // namespace ferryfs::fs
