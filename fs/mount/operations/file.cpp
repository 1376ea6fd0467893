// open, read, release, and the files of .ferryfs/. Opening fetches nothing; the first read of a missing picture does.
#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <mutex>
#include <shared_mutex>

#include "fs/mount/change/place.hpp"
#include "fs/mount/kernel/read_ahead.hpp"
#include "fs/mount/kernel/reply.hpp"
#include "fs/mount/operations/operations.hpp"
#include "fs/mount/view/handles.hpp"

namespace ferryfs::fs {
namespace {

using remote::bytes_ready;
using remote::failure;
using remote::now_local;

void reply_own(fuse_req_t req, own_pointer handle, fuse_file_info* fi) {
  auto kept = std::make_unique<own_pointer>(std::move(handle));
  fi->fh = reinterpret_cast<std::uint64_t>(kept.get());
  fi->noflush = 1;
  if (fuse_reply_open(req, fi) == 0) (void)kept.release();
}

void reply_from(fuse_req_t req, int fd, std::size_t size, off_t offset) {
  fuse_bufvec buffers = FUSE_BUFVEC_INIT(size);
  buffers.buf[0].flags = static_cast<fuse_buf_flags>(FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK);
  buffers.buf[0].fd = fd;
  buffers.buf[0].pos = offset;
  fuse_reply_data(req, &buffers, FUSE_BUF_SPLICE_MOVE);
}

void open_own(fuse_req_t req, view& v, fuse_ino_t ino, fuse_file_info* fi) {
  if (v.own.is_directory(ino)) throw answer_errno{EISDIR};
  const bool writes = (fi->flags & O_ACCMODE) != O_RDONLY;
  if (writes && (v.own.mode(ino) & 0222) == 0) throw answer_errno{EACCES};
  fi->direct_io = 1;  // a file that is made anew at each open has no size to be cached by
  const auto open = [&v, ino] {
    auto [text, file] = v.own.open(ino);
    auto handle = std::make_shared<own_handle>();
    handle->text = std::move(text), handle->file = std::move(file);
    return handle;
  };
  if (!v.own.is_slow(ino)) return reply_own(req, open(), fi);
  const auto parked = v.commands_parked.park(req);
  v.lists.post([parked, open, info = *fi]() mutable {
    attempt(parked, [&] { parked->answer([&, handle = open()](fuse_req_t q) { reply_own(q, handle, &info); }); });
  });
}

void read_own(fuse_req_t req, std::size_t size, off_t offset, fuse_file_info* fi) {
  const own_pointer handle = own_handle_of(fi);  // a share of it: once replied, the kernel may release its own
  if (handle->file) return reply_from(req, handle->file.get(), size, offset);
  std::string part;
  {
    const std::lock_guard lock{handle->mutex};
    const auto from = std::min(static_cast<std::size_t>(offset), handle->text.size());
    part = handle->text.substr(from, size);
  }
  fuse_reply_buf(req, part.data(), part.size());
}

// A read of a picture that is not here. It is parked; what it waits for answers it.
void read_remote(view& v, const std::shared_ptr<parked_request>& parked, const handle_pointer& handle, std::size_t size,
                 off_t offset, bool once_more) {
  const auto id = v.archive.fetch().want(
      handle->ino, static_cast<std::uint64_t>(offset), size,
      [&v, parked, handle, size, offset, once_more](const remote::outcome& o) {
        if (const auto* ready = std::get_if<bytes_ready>(&o)) {
          const bool taken = handle->take(*ready);
          return parked->answer([&](fuse_req_t req) {
            taken ? reply_from(req, ready->file->get(), size, offset) : void(fuse_reply_err(req, EIO));
          });
        }
        if (const auto* unkept = std::get_if<remote::bytes_unkept>(&o)) {
          const bool taken = handle->take(*unkept);
          const auto* bytes = reinterpret_cast<const char*>(unkept->bytes.data());
          return parked->answer([&](fuse_req_t req) {
            taken ? fuse_reply_buf(req, bytes, unkept->bytes.size()) : fuse_reply_err(req, EIO);
          });
        }
        const auto* why = std::get_if<failure>(&o);
        // Another picture than the index knew: the index has learnt it, and it is fetched in its new form.
        if (why != nullptr && why->why == remote::cause::changed && once_more && !parked->answered())
          return attempt(parked, [&] { read_remote(v, parked, handle, size, offset, false); });
        parked->answer([&](fuse_req_t req) {
          answer(req, [&] {
            if (why != nullptr) throw failure{*why};
            const auto e = v.archive.readers().borrow()->by_inode(handle->ino);
            if (!e) throw answer_errno{ENOENT};
            const auto file = open_local(v, *e, O_RDONLY);
            if (!handle->may_read(*file)) throw answer_errno{EIO};
            if (!handle->writes) handle->set_file(file);  // else it is opened under the names' lock, by its next read
            reply_from(req, file->get(), size, offset);
          });
        });
      });
  parked->on_deadline([&v, handle] { return v.archive.fetch().last_sign(handle->ino); });
  parked->on_abandoned([&v, handle, id](bool late) {
    if (late) handle->give_up();
    v.archive.fetch().forget(handle->ino, id);
  });
}

bool may_map_to_write(const fuse_file_info* fi) { return (fi->flags & O_ACCMODE) == O_RDWR; }

std::optional<std::string> path_of(view& v, inode ino) {
  const auto reader = v.archive.readers().borrow();
  const auto frozen = reader->freeze();
  return reader->path(ino);
}

// Empty, and errno set, where it can't be opened.
std::shared_ptr<const unique_fd> open_at(view& v, const std::optional<std::string>& path, int flags) {
  if (!path) throw answer_errno{ENOENT};
  return std::make_shared<unique_fd>(v.archive.where().open(*path, flags | O_NOFOLLOW | O_NONBLOCK));
}

std::shared_ptr<const unique_fd> open_named(view& v, const entry& e, int flags) {
  return open_at(v, path_of(v, e.ino), flags);
}

std::shared_ptr<const unique_fd> checked(std::shared_ptr<const unique_fd> file) {
  if (!*file) throw answer_errno{errno};
  struct stat st {};
  if (::fstat(file->get(), &st) != 0 || !S_ISREG(st.st_mode)) throw answer_errno{EIO};  // replaced since the last scan
  return file;
}

bool is_same_file(const unique_fd& one, const unique_fd& other) {
  struct stat a {
  }, b{};
  return ::fstat(one.get(), &a) == 0 && ::fstat(other.get(), &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

// The picture of an open file may be another now, and its file an outdated copy: bytes of that would stay in the
// kernel's pages for all who read the picture.
void forget_outdated(view& v, open_file& handle) {
  const auto e = v.archive.readers().borrow()->by_inode(handle.ino);
  const auto file = handle.file();
  if (!e || is_hidden(e->state)) return;  // removed, and read on
  if (file && e->is_local()) {
    const auto path = path_of(v, handle.ino);
    const auto now = path ? v.archive.where().open(*path, O_PATH | O_NOFOLLOW) : unique_fd{};
    if (!now || is_same_file(*file, now)) return;
  }
  handle.forget();
}

// Opens what `handle` is to write to and enters the handle among those that are open, in one with the names: who
// decides about the bytes here holds those alone, and sees it. False: it is not here.
bool open_to_change(view& v, const handle_pointer& handle, bool truncates, bool maps) {
  const std::shared_lock names{v.archive.where().names()};
  const auto e = v.archive.readers().borrow()->by_inode(handle->ino);
  if (!e || is_hidden(e->state)) throw answer_errno{ENOENT};
  if (e->is_local()) {
    // Written through one's own open file, read through it as well: the kernel fills pages that are written in part.
    const auto file = checked(open_named(v, *e, handle->writes || truncates ? O_RDWR : O_RDONLY));
    if (maps && v.past.passes_another(e->ino, *file)) throw answer_errno{EBUSY};
    if (truncates && ::ftruncate(file->get(), 0) != 0) throw answer_errno{errno};
    handle->set_file(file);
    if (truncates) v.written.mark(handle->ino, file);
  }
  v.opened.add(handle);
  return e->is_local();
}

// `file` was opened by the path that the entry had. Where that is none any more, the entry, or a directory above it,
// gets another name at this moment.
std::shared_ptr<const unique_fd> by_newest_name(view& v, const entry& e, std::shared_ptr<const unique_fd> file,
                                                int flags) {
  if (!*file && errno == ENOENT) {
    const std::shared_lock names{v.archive.where().names()};
    file = open_named(v, e, flags);
  }
  return checked(std::move(file));
}

void open_to_read(view& v, const handle_pointer& handle) {
  std::optional<entry> e;
  std::optional<std::string> path;
  {
    const auto reader = v.archive.readers().borrow();
    const auto frozen = reader->freeze();
    e = reader->by_inode(handle->ino);
    if (e && e->is_local()) path = reader->path(handle->ino);
  }
  if (!e || is_hidden(e->state)) throw answer_errno{ENOENT};
  handle->unsized = e->is_unsized();
  if (e->is_local()) handle->set_file(by_newest_name(v, *e, open_at(v, path, O_RDONLY), O_RDONLY));
  v.opened.add(handle);
}

}  // namespace

std::shared_ptr<const unique_fd> open_local(view& v, const entry& e, int flags) {
  return by_newest_name(v, e, open_named(v, e, flags), flags);
}

// In one with the names, as open_to_change.
std::shared_ptr<const unique_fd> local_of(view& v, open_file& handle) {
  if (auto file = handle.file()) return file;
  const std::shared_lock names{v.archive.where().names()};
  const auto e = v.archive.readers().borrow()->by_inode(handle.ino);
  if (!e || is_hidden(e->state)) throw answer_errno{ENOENT};
  if (!e->is_local()) return nullptr;
  auto file = checked(open_named(v, *e, O_RDWR));
  handle.set_file(file);
  return file;
}

void begin_open(fuse_req_t req, view& v, const handle_pointer& handle, fuse_file_info* fi) {
  const auto file = handle->file();
  // What may map it writes on after its last close, which the kernel does not tell of a mapping that is passed through.
  const bool seen = handle->writes && (may_map_to_write(fi) || (file && is_just_written(*file)));
  fi->noflush = handle->writes ? 0 : 1;  // nothing will be asked for when it is closed
  const bool passes = v.past.enter(req, handle->ino, file.get(), seen, fi);
  if (handle->unsized && !passes) fi->direct_io = 1, fi->keep_cache = 0;
  handle->maps_past_us = passes && may_map_to_write(fi);
  if (handle->writes) v.written.begin_writing(handle->ino, file);
}

namespace {

// The handle is open no more; enters what was written in the index.
void close_handle(view& v, const handle_pointer& handle) {
  v.opened.remove(handle);
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
      all.past.leave(request, ended.ino);
    }
  } end{req, v, *handle};
  if (const auto file = handle->file(); file && handle->maps_past_us)
    v.mapped.follow(v.written, handle->ino, *file, [&v](inode ino) { record_written(v, ino); });
  close_handle(v, handle);
}

void abandon_open(view& v, const handle_pointer& handle) noexcept {
  close_quietly(handle, [&] { end_open(nullptr, v, handle); });
}

void refuse_open(view& v, const handle_pointer& handle) noexcept {
  close_quietly(handle, [&] { close_handle(v, handle); });
}

void op_open(fuse_req_t req, fuse_ino_t ino, fuse_file_info* fi) {
  answer(req, [&] {
    view& v = view::of(req);
    std::call_once(v.first_open, raise_read_ahead, v.mountpoint);
    if (v.own.holds(ino)) return open_own(req, v, ino, fi);
    const bool writes = (fi->flags & O_ACCMODE) != O_RDONLY, truncates = (fi->flags & O_TRUNC) != 0;
    auto handle = std::make_shared<open_file>(ino, writes);
    if (!writes && !truncates) {
      open_to_read(v, handle);
    } else if (!open_to_change(v, handle, truncates, may_map_to_write(fi)) && truncates) {
      try {
        handle->set_file(replace_missing(v, ino));
      } catch (...) {
        v.opened.remove(handle);
        throw;
      }
    }
    reply_handle(req, v, handle, fi, [&] { return fuse_reply_open(req, fi); });
  });
}

void op_read(fuse_req_t req, fuse_ino_t ino, std::size_t size, off_t offset, fuse_file_info* fi) {
  answer(req, [&] {
    view& v = view::of(req);
    if (v.own.holds(ino)) return read_own(req, size, offset, fi);
    const handle_pointer handle = handle_of(fi);
    if (handle->doubted()) forget_outdated(v, *handle);
    const auto file = handle->writes ? local_of(v, *handle) : handle->file();
    if (file && handle->writes && !handle->may_read(*file)) throw answer_errno{EIO};
    if (file) return reply_from(req, file->get(), size, offset);
    if (handle->gave_up_just_now()) throw answer_errno{ETIMEDOUT};
    const auto parked = v.parked.park(req);
    attempt(parked, [&] { read_remote(v, parked, handle, size, offset, true); });
  });
}

void op_release(fuse_req_t req, fuse_ino_t ino, fuse_file_info* fi) {
  answer(req, [&] {
    view& v = view::of(req);
    if (v.own.holds(ino)) {
      delete &own_handle_of(fi);
    } else {
      end_open(req, v, handle_of(fi));
    }
    fuse_reply_err(req, 0);
  });
}

}  // namespace ferryfs::fs
