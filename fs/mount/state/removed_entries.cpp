#include "fs/mount/state/removed_entries.hpp"

namespace ferryfs::fs {

void removed_entries::add(const entry& e) {
  const lock held{mutex_};
  if (const auto known = entries_.find(e.ino); known != entries_.end()) return void(known->second.last = e);
  entries_.emplace(e.ino, removed{e, oldest_first_.insert(oldest_first_.end(), e.ino)});
  if (entries_.size() > most) {
    entries_.erase(oldest_first_.front());
    oldest_first_.pop_front();
  }
  count_ = entries_.size();
}

std::optional<entry> removed_entries::find(inode ino) {
  const lock held{mutex_};
  const auto at = entries_.find(ino);
  return at == entries_.end() ? std::nullopt : std::optional(at->second.last);
}

bool removed_entries::change(inode ino, const std::function<void(entry&)>& edit) {
  const lock held{mutex_};
  const auto at = entries_.find(ino);
  if (at == entries_.end()) return false;
  edit(at->second.last);
  return true;
}

void removed_entries::forget(inode ino) {
  if (count_ == 0) return;
  const lock held{mutex_};
  const auto at = entries_.find(ino);
  if (at == entries_.end()) return;
  oldest_first_.erase(at->second.age);
  entries_.erase(at);
  count_ = entries_.size();
}

}  // namespace ferryfs::fs
