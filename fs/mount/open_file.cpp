#include "fs/mount/open_file.hpp"

namespace ferryfs::fs {

void open_files::add(const std::shared_ptr<open_file>& file) {
  const std::lock_guard lock{mutex_};
  files_.emplace(std::pair{file->ino, file.get()}, file);
}

void open_files::remove(const std::shared_ptr<open_file>& file) {
  const std::lock_guard lock{mutex_};
  files_.erase({file->ino, file.get()});
}

std::shared_ptr<const unique_fd> open_files::find(inode ino) {
  const std::lock_guard lock{mutex_};
  for (auto at = files_.lower_bound({ino, nullptr}); at != files_.end() && at->first.first == ino; ++at)
    if (auto fd = at->second->file()) return fd;
  return nullptr;
}

bool open_files::is_written(inode ino) {
  const std::lock_guard lock{mutex_};
  for (auto at = files_.lower_bound({ino, nullptr}); at != files_.end() && at->first.first == ino; ++at)
    if (at->second->writes) return true;
  return false;
}

std::size_t open_files::written() {
  std::size_t count = 0;
  inode last = 0;
  const std::lock_guard lock{mutex_};
  for (const auto& [key, file] : files_)
    if (file->writes && key.first != last) ++count, last = key.first;
  return count;
}

void open_files::reopen(inode ino) {
  const std::lock_guard lock{mutex_};
  for (auto at = files_.lower_bound({ino, nullptr}); at != files_.end() && at->first.first == ino; ++at)
    if (!at->second->writes) at->second->set_file(nullptr);
}

bool written_files::holds(inode ino) {
  const std::lock_guard lock{mutex_};
  return files_.contains(ino);
}

void written_files::mark(inode ino, std::shared_ptr<const unique_fd> file) {
  const std::lock_guard lock{mutex_};
  files_.insert_or_assign(ino, std::move(file));
  count_ = files_.size();
}

std::shared_ptr<const unique_fd> written_files::take(inode ino) {
  if (count_ == 0) return nullptr;
  const std::lock_guard lock{mutex_};
  const auto at = files_.find(ino);
  if (at == files_.end()) return nullptr;
  auto file = std::move(at->second);
  files_.erase(at);
  count_ = files_.size();
  return file;
}

void written_files::overlay(inode ino, struct stat& st) {
  if (count_ == 0) return;
  const std::lock_guard lock{mutex_};
  const auto at = files_.find(ino);
  struct stat now {};
  if (at == files_.end() || ::fstat(at->second->get(), &now) != 0) return;
  st.st_size = now.st_size;
  st.st_blocks = now.st_blocks;
  st.st_mtim = now.st_mtim;
  st.st_ctim = now.st_ctim;
}

}  // namespace ferryfs::fs
