#include "fs/mount/operations/handles.hpp"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <mutex>
#include <shared_mutex>

#include "fs/mount/change/mutation.hpp"
#include "fs/mount/kernel/reply.hpp"
#include "index/base/mutex.hpp"

namespace ferryfs::fs {
namespace {

// Empty, and errno set, where it can't be opened.
std::shared_ptr<const unique_fd> open_at(view& v, const std::string& path, int flags) {
  return std::make_shared<unique_fd>(v.archive.where().open(path, flags | O_NOFOLLOW | O_NONBLOCK));
}

std::string known_path(view& v, inode ino) {
  auto path = path_of(v, ino);
  if (!path) throw answer_errno{ENOENT};
  return *std::move(path);
}

std::shared_ptr<const unique_fd> checked(std::shared_ptr<const unique_fd> file) {
  if (!*file) throw answer_errno{errno};
  struct stat st {};
  if (::fstat(file->get(), &st) != 0 || !S_ISREG(st.st_mode)) throw answer_errno{EIO};  // replaced since the last scan
  return file;
}

}  // namespace

std::optional<std::string> path_of(view& v, inode ino) {
  const auto reader = v.archive.readers().borrow();
  const auto frozen = reader->freeze();
  return reader->path(ino);
}

std::shared_ptr<const unique_fd> open_named(view& v, const entry& e, int flags) {
  return checked(open_at(v, known_path(v, e.ino), flags));
}

std::shared_ptr<const unique_fd> open_local(view& v, const entry& e, const std::string& path, int flags) {
  auto file = open_at(v, path, flags);
  if (*file || errno != ENOENT) return checked(std::move(file));
  // The entry, or a directory above it, gets another name at this moment.
  const shared_lock held{v.archive.where().namespace_lock()};
  return open_named(v, e, flags);
}

std::shared_ptr<const unique_fd> open_local(view& v, const entry& e, int flags) {
  return open_local(v, e, known_path(v, e.ino), flags);
}

std::shared_ptr<const unique_fd> local_of(view& v, open_file& handle) {
  if (auto file = handle.file()) return file;
  const shared_lock held{v.archive.where().namespace_lock()};
  const auto e = v.archive.readers().borrow()->by_inode(handle.ino);
  if (!e || is_hidden(e->state)) throw answer_errno{ENOENT};
  if (!e->is_local()) return nullptr;
  auto file = open_named(v, *e, O_RDWR);
  handle.set_file(file);
  return file;
}

bool may_map_to_write(const fuse_file_info* fi) { return (fi->flags & O_ACCMODE) == O_RDWR; }

void begin_open(fuse_req_t req, view& v, const handle_pointer& handle, fuse_file_info* fi) {
  const auto file = handle->file();
  // What may map it writes on after its last close, which the kernel does not tell of a mapping that is passed through.
  const bool seen = handle->writes && (may_map_to_write(fi) || (file && is_just_written(*file)));
  fi->noflush = handle->writes ? 0 : 1;  // nothing will be asked for when it is closed
  const bool passes = v.passthrough.enter(req, handle->ino, file.get(), seen, fi);
  if (handle->unsized && !passes) fi->direct_io = 1, fi->keep_cache = 0;
  handle->maps_past_us = passes && may_map_to_write(fi);
  if (handle->writes) v.written.begin_writing(handle->ino, file);
}

namespace {

// The handle is open no more; enters what was written in the index.
void close_handle(view& v, const handle_pointer& handle) {
  v.open_pictures.remove(handle);
  record_written(v, handle->ino);  // a shared mapping may have been written after the last close
}

template <typename Close>
void close_quietly(const handle_pointer& handle, Close&& close) noexcept {
  try {
    close();
  } catch (const std::exception& e) {
    spdlog::error("what was written to inode {} is not in the index: {}", handle->ino, e.what());
  }
}

}  // namespace

void end_open(fuse_req_t req, view& v, const handle_pointer& handle) {
  const struct ending {
    fuse_req_t request;
    view& all;
    open_file& ended;
    ~ending() {
      if (ended.writes) all.written.end_writing(ended.ino);
      all.passthrough.leave(request, ended.ino);
    }
  } end{req, v, *handle};
  if (const auto file = handle->file(); file && handle->maps_past_us)
    v.mapped.follow(handle->ino, *file, [&v](inode ino) { record_written(v, ino); });
  close_handle(v, handle);
}

void abandon_open(view& v, const handle_pointer& handle) noexcept {
  close_quietly(handle, [&] { end_open(nullptr, v, handle); });
}

void refuse_open(view& v, const handle_pointer& handle) noexcept {
  close_quietly(handle, [&] { close_handle(v, handle); });
}

}  // namespace ferryfs::fs
