// open, read, release, and the files of .ferryfs/. Opening fetches nothing; the first read of a missing picture does.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <mutex>

#include "fs/mount/operations.hpp"
#include "fs/mount/reply.hpp"
#include "fs/mount/view.hpp"

namespace ferryfs::fs {
namespace {

using remote::bytes_ready;
using remote::failure;
using remote::now_local;

// An open picture. Its bytes come from `file` once there is one: the local file, or the partial file of a fetch that
// has written all of it.
class file_handle {
 public:
  explicit file_handle(inode of) : ino(of) {}
  const inode ino;

  std::shared_ptr<const unique_fd> file() {
    const std::lock_guard lock{mutex_};
    return file_;
  }
  void set_file(std::shared_ptr<const unique_fd> file) {
    const std::lock_guard lock{mutex_};
    file_ = std::move(file);
  }

 private:
  std::mutex mutex_;
  std::shared_ptr<const unique_fd> file_;
};

// An open file of .ferryfs/: its content as it was at open, or the answers to what was written.
struct own_handle {
  std::mutex mutex;
  std::string text;
};

using handle_pointer = std::shared_ptr<file_handle>;
using own_pointer = std::shared_ptr<own_handle>;
handle_pointer& handle_of(const fuse_file_info* fi) { return *reinterpret_cast<handle_pointer*>(fi->fh); }
own_pointer& own_handle_of(const fuse_file_info* fi) { return *reinterpret_cast<own_pointer*>(fi->fh); }

template <typename Pointer>
void reply_open(fuse_req_t req, Pointer handle, fuse_file_info* fi) {
  auto kept = std::make_unique<Pointer>(std::move(handle));
  fi->fh = reinterpret_cast<std::uint64_t>(kept.get());
  if (fuse_reply_open(req, fi) == 0) (void)kept.release();
}

// The local file of an entry; where the index says so and the disk does not, errno.
std::shared_ptr<const unique_fd> open_local(view& v, const entry& e) {
  const auto path = v.archive.readers().borrow()->path(e.ino);
  if (!path) throw answer_errno{ENOENT};
  auto file = std::make_shared<unique_fd>(v.archive.where().open(*path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  if (!*file) throw answer_errno{errno};
  struct stat st {};
  if (::fstat(file->get(), &st) != 0 || !S_ISREG(st.st_mode)) throw answer_errno{EIO};  // replaced since the last scan
  return file;
}

void reply_from(fuse_req_t req, int fd, std::size_t size, off_t offset) {
  fuse_bufvec buffers = FUSE_BUFVEC_INIT(size);
  buffers.buf[0].flags = static_cast<fuse_buf_flags>(FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK);
  buffers.buf[0].fd = fd;
  buffers.buf[0].pos = offset;
  fuse_reply_data(req, &buffers, FUSE_BUF_SPLICE_MOVE);
}

void open_own(fuse_req_t req, view& v, fuse_ino_t ino, fuse_file_info* fi) {
  if (ino == v.own.root()) throw answer_errno{EISDIR};
  const auto& file = v.own.at(ino);
  const bool writes = (fi->flags & O_ACCMODE) != O_RDONLY;
  if (writes && (file.mode & 0222) == 0) throw answer_errno{EACCES};
  auto handle = std::make_shared<own_handle>();
  if (file.content) handle->text = file.content();
  fi->direct_io = 1;  // a file that is made anew at each open has no size to be cached by
  reply_open(req, std::move(handle), fi);
}

void read_own(fuse_req_t req, std::size_t size, off_t offset, fuse_file_info* fi) {
  const own_pointer handle = own_handle_of(fi);  // a share of it: once replied, the kernel may release its own
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
          if (ready->whole) handle->set_file(ready->file);
          return parked->answer([&](fuse_req_t req) { reply_from(req, ready->file->get(), size, offset); });
        }
        const auto* why = std::get_if<failure>(&o);
        // Another picture than the index knew: the index has learnt it, and it is fetched in its new form.
        if (why != nullptr && why->why == remote::cause::changed && once_more && !parked->answered())
          return read_remote(v, parked, handle, size, offset, false);
        parked->answer([&](fuse_req_t req) {
          answer(req, [&] {
            if (why != nullptr) throw failure{*why};
            const auto e = v.archive.readers().borrow()->by_inode(handle->ino);
            if (!e) throw answer_errno{ENOENT};
            handle->set_file(open_local(v, *e));
            reply_from(req, handle->file()->get(), size, offset);
          });
        });
      });
  parked->on_abandoned([&v, ino = handle->ino, id] { v.archive.fetch().forget(ino, id); });
}

}  // namespace

void op_open(fuse_req_t req, fuse_ino_t ino, fuse_file_info* fi) {
  answer(req, [&] {
    view& v = view::of(req);
    if (v.own.holds(ino)) return open_own(req, v, ino, fi);
    if ((fi->flags & O_ACCMODE) != O_RDONLY || (fi->flags & O_TRUNC) != 0) throw answer_errno{EROFS};
    const auto e = v.archive.readers().borrow()->by_inode(ino);
    if (!e || e->state == state::deleted) throw answer_errno{ENOENT};
    auto handle = std::make_shared<file_handle>(ino);
    if (e->is_local()) handle->set_file(open_local(v, *e));
    fi->keep_cache = 1;  // the kernel is told when the content becomes another
    reply_open(req, std::move(handle), fi);
  });
}

void op_read(fuse_req_t req, fuse_ino_t ino, std::size_t size, off_t offset, fuse_file_info* fi) {
  answer(req, [&] {
    view& v = view::of(req);
    if (v.own.holds(ino)) return read_own(req, size, offset, fi);
    const handle_pointer handle = handle_of(fi);
    if (const auto file = handle->file()) return reply_from(req, file->get(), size, offset);
    const auto parked = v.parked.park(req);
    attempt(parked, [&] { read_remote(v, parked, handle, size, offset, true); });
  });
}

// Only .ferryfs/control is written to: a command. Its answer can be read from the same open file.
void op_write(fuse_req_t req, fuse_ino_t ino, const char* bytes, std::size_t size, off_t, fuse_file_info* fi) {
  answer(req, [&] {
    view& v = view::of(req);
    if (!v.own.holds(ino)) throw answer_errno{EROFS};
    const auto parked = v.commands_parked.park(req);
    const auto done = [parked, handle = own_handle_of(fi), size](const control::result& r) {
      {
        const std::lock_guard lock{handle->mutex};
        handle->text = r.text;
      }
      parked->answer(
          [&](fuse_req_t q) { r.error != 0 ? void(fuse_reply_err(q, r.error)) : void(fuse_reply_write(q, size)); });
    };
    attempt(parked, [&] { v.commands.run({bytes, size}, done); });
  });
}

void op_release(fuse_req_t req, fuse_ino_t ino, fuse_file_info* fi) {
  if (view::of(req).own.holds(ino))
    delete &own_handle_of(fi);
  else
    delete &handle_of(fi);
  fuse_reply_err(req, 0);
}

}  // namespace ferryfs::fs
