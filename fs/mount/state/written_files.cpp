#include "fs/mount/state/written_files.hpp"

namespace ferryfs::fs {

bool written_files::is_changed(const written& w, const struct stat& now) {
  return w.marked || w.recordings > 0 || now.st_size != w.recorded.size ||
         now.st_mtim.tv_sec != w.recorded.time.tv_sec || now.st_mtim.tv_nsec != w.recorded.time.tv_nsec;
}

void written_files::erase_if_done(table::iterator at) {
  const written& w = at->second;
  if (w.handles > 0 || w.recordings > 0 || w.writes > 0 || w.marked) return;
  ++generation_;  // before the count: overlay() may look at that alone
  files_.erase(at);
  count_ = files_.size();
}

void written_files::begin_writing(inode ino, file_pointer file) {
  struct stat now {};
  const lock held{mutex_};
  auto& w = files_[ino];
  count_ = files_.size();
  ++w.handles;
  if (w.file || !file) return;
  w.file = std::move(file);
  if (disk().fstat(w.file->get(), &now) == 0) w.recorded = moment::of(now);
}

void written_files::end_writing(inode ino) {
  const lock held{mutex_};
  const auto at = files_.find(ino);
  if (at == files_.end()) return;
  --at->second.handles;
  erase_if_done(at);
}

void written_files::begin_following(inode ino, file_pointer file) {
  begin_writing(ino, file);
  const lock held{mutex_};
  files_[ino].file = std::move(file);  // what is open for writing would itself keep the file from seeming unused
}

void written_files::mark(inode ino, file_pointer file) {
  const lock held{mutex_};
  auto& w = files_[ino];
  w.file = std::move(file);
  w.marked = true;
  count_ = files_.size();
}

written_files::pending_write::pending_write(written_files& files, inode ino, file_pointer file)
    : files_(files), ino_(ino) {
  const lock held{files_.mutex_};
  auto& w = files_.files_[ino];
  files_.count_ = files_.files_.size();
  w.file = std::move(file);
  if (w.writes++ == 0) (void)disk().fstat(w.file->get(), &w.before);
}

void written_files::pending_write::reached(off_t end) {
  const lock held{files_.mutex_};
  auto& w = files_.files_[ino_];
  w.marked = true;
  if (end > w.before.st_size) w.before.st_size = end;  // where others are still under way
}

written_files::pending_write::~pending_write() {
  const lock held{files_.mutex_};
  const auto at = files_.files_.find(ino_);
  --at->second.writes;
  files_.erase_if_done(at);
}

void written_files::recorded(inode ino, const struct stat& now) {
  if (count_ == 0) return;
  const lock held{mutex_};
  if (const auto at = files_.find(ino); at != files_.end()) at->second.recorded = moment::of(now);
}

written_files::file_pointer written_files::begin_recording(inode ino) {
  if (count_ == 0) return nullptr;
  struct stat now {};
  const lock held{mutex_};
  const auto at = files_.find(ino);
  if (at == files_.end()) return nullptr;
  written& w = at->second;
  if (!w.file || disk().fstat(w.file->get(), &now) != 0 || !is_changed(w, now)) return nullptr;
  w.marked = false;
  ++w.recordings;
  return w.file;
}

void written_files::end_recording(inode ino, const struct stat* stored) {
  const lock held{mutex_};
  const auto at = files_.find(ino);
  if (at == files_.end()) return;
  --at->second.recordings;
  stored != nullptr ? void(at->second.recorded = moment::of(*stored)) : void(at->second.marked = true);
  erase_if_done(at);
}

bool written_files::holds(inode ino) {
  const lock held{mutex_};
  return files_.contains(ino);
}

bool written_files::overlay(inode ino, struct stat& st) {
  if (count_ == 0) return false;
  const lock held{mutex_};
  const auto at = files_.find(ino);
  if (at == files_.end()) return false;
  struct stat now {};
  if (at->second.writes > 0)
    now = at->second.before;
  else if (!at->second.file || disk().fstat(at->second.file->get(), &now) != 0)
    return true;
  st.st_size = now.st_size;
  st.st_blocks = now.st_blocks;
  st.st_mtim = now.st_mtim;
  if (is_changed(at->second, now)) st.st_ctim = now.st_ctim;
  return true;
}

}  // namespace ferryfs::fs
