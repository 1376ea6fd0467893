#include "fs/mount/state/open_file.hpp"

namespace ferryfs::fs {

void open_files::add(const std::shared_ptr<open_file>& file) {
  const lock held{mutex_};
  files_.emplace(std::pair{file->ino, file.get()}, file);
}

void open_files::remove(const std::shared_ptr<open_file>& file) {
  const lock held{mutex_};
  files_.erase({file->ino, file.get()});
}

std::shared_ptr<const unique_fd> open_files::find(inode ino) {
  const lock held{mutex_};
  for (auto at = files_.lower_bound({ino, nullptr}); at != files_.end() && at->first.first == ino; ++at)
    if (auto fd = at->second->file()) return fd;
  return nullptr;
}

bool open_files::is_open(inode ino) {
  const lock held{mutex_};
  const auto at = files_.lower_bound({ino, nullptr});
  return at != files_.end() && at->first.first == ino;
}

bool open_files::is_written(inode ino) {
  const lock held{mutex_};
  for (auto at = files_.lower_bound({ino, nullptr}); at != files_.end() && at->first.first == ino; ++at)
    if (at->second->writes && at->second->file()) return true;
  return false;
}

std::size_t open_files::written() {
  std::size_t count = 0;
  inode last = 0;
  const lock held{mutex_};
  for (const auto& [key, file] : files_)
    if (file->writes && key.first != last) ++count, last = key.first;
  return count;
}

void open_files::reopen(inode ino) {
  const lock held{mutex_};
  for (auto at = files_.lower_bound({ino, nullptr}); at != files_.end() && at->first.first == ino; ++at)
    if (!at->second->writes) at->second->set_file(nullptr);
}

void open_files::doubt(inode ino) {
  const lock held{mutex_};
  for (auto at = files_.lower_bound({ino, nullptr}); at != files_.end() && at->first.first == ino; ++at)
    if (!at->second->writes) at->second->doubt();
}

bool is_just_written(const unique_fd& file) {
  using namespace std::chrono;
  struct stat st {};
  if (disk().fstat(file.get(), &st) != 0) return true;
  const auto time = seconds{st.st_mtim.tv_sec} + nanoseconds{st.st_mtim.tv_nsec};
  const auto age = wall_now().time_since_epoch() - time;
  return st.st_size > 0 && age < milliseconds{20} && age > milliseconds{-20};
}

}  // namespace ferryfs::fs
