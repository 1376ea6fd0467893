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

bool written_files::is_changed(const written& w, const struct stat& now) {
  return w.marked || now.st_size != w.before.size || now.st_mtim.tv_sec != w.before.time.tv_sec ||
         now.st_mtim.tv_nsec != w.before.time.tv_nsec;
}

bool written_files::holds(inode ino) {
  const std::lock_guard lock{mutex_};
  return files_.contains(ino);
}

void written_files::mark(inode ino, std::shared_ptr<const unique_fd> file) {
  const std::lock_guard lock{mutex_};
  auto& w = files_[ino];
  w.file = std::move(file);
  w.marked = true;
  count_ = files_.size();
}

void written_files::watch(inode ino, std::shared_ptr<const unique_fd> file) {
  struct stat now {};
  const std::lock_guard lock{mutex_};
  auto& w = files_[ino];
  count_ = files_.size();
  if (w.watched++ > 0) return;
  w.file = std::move(file);
  if (::fstat(w.file->get(), &now) == 0) w.before = {now.st_size, now.st_mtim};
}

void written_files::unwatch(inode ino) {
  const std::lock_guard lock{mutex_};
  const auto at = files_.find(ino);
  if (at == files_.end() || --at->second.watched > 0 || at->second.marked) return;
  files_.erase(at);
  count_ = files_.size();
}

void written_files::time_set(inode ino) {
  if (count_ == 0) return;
  struct stat now {};
  const std::lock_guard lock{mutex_};
  const auto at = files_.find(ino);
  if (at != files_.end() && ::fstat(at->second.file->get(), &now) == 0) at->second.before.time = now.st_mtim;
}

std::shared_ptr<const unique_fd> written_files::take(inode ino) {
  if (count_ == 0) return nullptr;
  struct stat now {};
  const std::lock_guard lock{mutex_};
  const auto at = files_.find(ino);
  if (at == files_.end()) return nullptr;
  written& w = at->second;
  if (::fstat(w.file->get(), &now) != 0 || !is_changed(w, now)) return nullptr;
  auto file = w.file;
  w.marked = false;
  w.before = {now.st_size, now.st_mtim};
  if (w.watched == 0) files_.erase(at);
  count_ = files_.size();
  return file;
}

void written_files::overlay(inode ino, struct stat& st) {
  if (count_ == 0) return;
  const std::lock_guard lock{mutex_};
  const auto at = files_.find(ino);
  struct stat now {};
  if (at == files_.end() || ::fstat(at->second.file->get(), &now) != 0 || !is_changed(at->second, now)) return;
  st.st_size = now.st_size;
  st.st_blocks = now.st_blocks;
  st.st_mtim = now.st_mtim;
  st.st_ctim = now.st_ctim;
}

bool is_just_written(const unique_fd& file) {
  using namespace std::chrono;
  struct stat st {};
  if (::fstat(file.get(), &st) != 0) return true;
  const auto time = seconds{st.st_mtim.tv_sec} + nanoseconds{st.st_mtim.tv_nsec};
  const auto age = system_clock::now().time_since_epoch() - time;
  return st.st_size > 0 && age < milliseconds{20} && age > milliseconds{-20};
}

}  // namespace ferryfs::fs
