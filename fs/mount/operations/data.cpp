// create, write, flush, fsync, fallocate, copy_file_range, lseek. Bytes go straight to the local file; the index learns
// size and time when the file is closed or synced, and until then `written_files` shows them.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <vector>

#include "fs/mount/change/hydrate.hpp"
#include "fs/mount/change/mutation.hpp"
#include "fs/mount/change/unfinished_file.hpp"
#include "fs/mount/kernel/reply.hpp"
#include "fs/mount/operations/handles.hpp"
#include "fs/mount/operations/operations.hpp"
#include "fs/mount/operations/virtual_files.hpp"

namespace ferryfs::fs {
namespace {

std::string bytes_of(fuse_bufvec* from) {
  std::string bytes(fuse_buf_size(from), '\0');
  fuse_bufvec to = FUSE_BUFVEC_INIT(bytes.size());
  to.buf[0].mem = bytes.data();
  const auto copied = fuse_buf_copy(&to, from, static_cast<fuse_buf_copy_flags>(0));
  if (copied < 0) throw answer_errno{static_cast<int>(-copied)};
  bytes.resize(static_cast<std::size_t>(copied));
  return bytes;
}

// Bytes that wait for the picture that they are to be written into. They are in memory, which has its bounds.
class queued_bytes {
 public:
  // Throws ENOBUFS.
  explicit queued_bytes(std::string bytes) : bytes_(std::move(bytes)) {
    constexpr std::size_t most = 64U << 20;  // of all
    if ((held += bytes_.size()) <= most) return;
    held -= bytes_.size();
    throw answer_errno{ENOBUFS};
  }
  ~queued_bytes() { held -= bytes_.size(); }
  queued_bytes(const queued_bytes&) = delete;
  queued_bytes& operator=(const queued_bytes&) = delete;
  const std::string& get() const noexcept { return bytes_; }

 private:
  static inline std::atomic<std::size_t> held = 0;
  const std::string bytes_;
};

// A command. Its answer can be read from the same open file.
void write_command(fuse_req_t req, view& v, const std::string& bytes, fuse_file_info* fi) {
  const auto parked = v.parked_commands.park(req);
  const auto done = [parked, handle = virtual_handle_of(fi), size = bytes.size()](const control::result& r) {
    {
      const lock held{handle->mutex_};
      handle->text = r.text;
    }
    parked->answer(
        [&](fuse_req_t q) { r.error != 0 ? void(fuse_reply_err(q, r.error)) : void(fuse_reply_write(q, size)); });
  };
  attempt(parked, [&] { v.commands.run(bytes, done); });
}

// `change(request, file)` changes a part of the file, and replies, once all of it is here.
using partial_change = std::function<void(fuse_req_t, const std::shared_ptr<const unique_fd>& file)>;

void change_later(fuse_req_t req, view& v, const handle_pointer& handle, partial_change change) {
  const auto parked = v.parked.park(req);
  attempt(parked, [&] {
    with_hydrated(v, handle->ino, parked, [&v, parked, handle, change = std::move(change)] {
      parked->answer([&](fuse_req_t q) {
        answer(q, [&] {
          const auto file = local_of(v, *handle);
          if (!file) throw answer_errno{EIO};
          change(q, file);
        });
      });
    });
  });
}

// `write` returns how many bytes it has written at `offset`, or less than 0.
template <typename Write>
ssize_t write_from(view& v, inode ino, const std::shared_ptr<const unique_fd>& file, off_t offset, Write&& write) {
  written_files::pending_write under_way{v.written, ino, file};
  const ssize_t n = write();
  if (n > 0) under_way.reached(offset + n);
  return n;
}

}  // namespace

void op_create(fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode, fuse_file_info* fi) {
  answer(req, [&] {
    view& v = view::of(req);
    refuse_virtual(v, parent, name);
    const auto by_inode = [](inode at) { return [at](auto& rows) { return rows.by_inode(at); }; };
    const auto directory = v.archive.look(by_inode(parent));
    if (!directory || is_hidden(directory->state)) throw answer_errno{ENOENT};
    std::shared_ptr<unique_fd> file;
    inode ino = 0;
    {
      const name_change changing{v};
      const auto here = open_destination_directory(v, parent, true);
      if (v.archive.where().is_look_alike(here.get(), name)) throw answer_errno{EEXIST};
      const int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW;
      file = std::make_shared<unique_fd>(::openat(here.get(), name, flags | O_CREAT | O_EXCL, 0600));
      unfinished_file unfinished{here.get(), name};
      if (!*file) unfinished.keep();
      if (!*file && errno == EEXIST && (fi->flags & O_EXCL) == 0)  // the index does not know it yet
        file = std::make_shared<unique_fd>(::openat(here.get(), name, flags | (fi->flags & O_TRUNC)));
      if (!*file) throw answer_errno{errno};
      chown_new(v, req, *directory, here.get(), name);
      if (::fchmod(file->get(), mode & 07777) != 0) throw answer_errno{errno};
      const auto now = stat_destination(v, file->get(), "");
      ino = v.archive.index().run_held([&](index::transaction& t) {
        return index::record_created(t, {parent, name, now.attributes, now.uid, now.gid, ""}, now_ns());
      });
      unfinished.keep();
    }
    const auto generation = v.written.generation();
    const auto e = v.archive.look(by_inode(ino));
    if (!e) throw answer_errno{EIO};
    const auto handle = std::make_shared<open_file>(ino, true);
    handle->set_file(std::move(file));
    const auto p = parameters_of(v, generation, *e);
    v.open_pictures.add(handle);
    reply_handle(req, v, handle, fi, [&] { return fuse_reply_create(req, &p, fi); });
  });
}

void op_write_buf(fuse_req_t req, fuse_ino_t ino, fuse_bufvec* from, off_t offset, fuse_file_info* fi) {
  answer(req, [&] {
    view& v = view::of(req);
    if (v.virtual_files.holds(ino)) return write_command(req, v, bytes_of(from), fi);
    const handle_pointer handle = handle_of(fi);
    const auto file = local_of(v, *handle);
    if (!file)
      return change_later(
          req, v, handle,
          [&v, ino, queued = std::make_shared<queued_bytes>(bytes_of(from)), offset](fuse_req_t q, const auto& whole) {
            const std::string& bytes = queued->get();
            const auto n = write_from(v, ino, whole, offset,
                                      [&] { return ::pwrite(whole->get(), bytes.data(), bytes.size(), offset); });
            if (n < 0) throw answer_errno{errno};
            fuse_reply_write(q, static_cast<std::size_t>(n));
          });
    fuse_bufvec to = FUSE_BUFVEC_INIT(fuse_buf_size(from));
    to.buf[0].flags = static_cast<fuse_buf_flags>(FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK);
    to.buf[0].fd = file->get();
    to.buf[0].pos = offset;
    const auto written =
        write_from(v, ino, file, offset, [&] { return fuse_buf_copy(&to, from, static_cast<fuse_buf_copy_flags>(0)); });
    if (written < 0) throw answer_errno{static_cast<int>(-written)};
    fuse_reply_write(req, static_cast<std::size_t>(written));
  });
}

void op_flush(fuse_req_t req, fuse_ino_t ino, fuse_file_info*) {
  answer(req, [&] {
    view& v = view::of(req);
    if (!v.virtual_files.holds(ino)) record_written(v, ino);
    fuse_reply_err(req, 0);
  });
}

void op_fsync(fuse_req_t req, fuse_ino_t ino, int data_only, fuse_file_info* fi) {
  answer(req, [&] {
    view& v = view::of(req);
    if (!v.virtual_files.holds(ino)) {
      if (const auto file = handle_of(fi)->file())
        if ((data_only != 0 ? ::fdatasync(file->get()) : ::fsync(file->get())) != 0) throw answer_errno{errno};
      record_written(v, ino);
      v.archive.index().make_durable(ino);
    }
    fuse_reply_err(req, 0);
  });
}

// What was removed or renamed in the directory stays so: the disk's part and the index's.
void op_fsyncdir(fuse_req_t req, fuse_ino_t ino, int, fuse_file_info*) {
  answer(req, [&] {
    view& v = view::of(req);
    if (!v.virtual_files.holds(ino)) {
      const auto open = [&] {
        const name_change reading{v};
        return open_destination_directory(v, ino, false);
      };
      if (const auto here = open(); here && ::fsync(here.get()) != 0) throw answer_errno{errno};
      v.archive.index().make_durable();
    }
    fuse_reply_err(req, 0);
  });
}

void op_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t offset, off_t length, fuse_file_info* fi) {
  answer(req, [&] {
    view& v = view::of(req);
    if (v.virtual_files.holds(ino)) throw answer_errno{EPERM};
    const handle_pointer handle = handle_of(fi);
    const auto allocate = [&v, ino, mode, offset, length](fuse_req_t q, const auto& file) {
      if (::fallocate(file->get(), mode, offset, length) != 0) throw answer_errno{errno};
      v.written.mark(ino, file);
      fuse_reply_err(q, 0);
    };
    if (const auto file = local_of(v, *handle)) return allocate(req, file);
    change_later(req, v, handle, allocate);
  });
}

// Where one of the two is not here, EXDEV: the kernel copies by reading and writing.
void op_copy_file_range(fuse_req_t req, fuse_ino_t from, off_t from_offset, fuse_file_info* from_fi, fuse_ino_t to,
                        off_t to_offset, fuse_file_info* to_fi, std::size_t length, int) {
  answer(req, [&] {
    view& v = view::of(req);
    if (v.virtual_files.holds(from) || v.virtual_files.holds(to)) throw answer_errno{EXDEV};
    const auto in = handle_of(from_fi)->file(), out = local_of(v, *handle_of(to_fi));
    if (!in || !out) throw answer_errno{EXDEV};
    const auto copied = ::copy_file_range(in->get(), &from_offset, out->get(), &to_offset, length, 0);
    if (copied < 0) throw answer_errno{errno};
    v.written.mark(to, out);
    fuse_reply_write(req, static_cast<std::size_t>(copied));
  });
}

// Of a missing picture all is data.
void op_lseek(fuse_req_t req, fuse_ino_t ino, off_t offset, int whence, fuse_file_info* fi) {
  answer(req, [&] {
    view& v = view::of(req);
    if (v.virtual_files.holds(ino)) throw answer_errno{EINVAL};
    off_t at = 0;
    if (const auto file = handle_of(fi)->file()) {
      at = ::lseek(file->get(), offset, whence);
      if (at < 0) throw answer_errno{errno};
    } else {
      const auto e = v.archive.readers().borrow()->by_inode(ino);
      if (!e || offset < 0 || offset >= static_cast<off_t>(e->shown().size)) throw answer_errno{ENXIO};
      at = whence == SEEK_HOLE ? static_cast<off_t>(e->shown().size) : offset;
    }
    fuse_reply_lseek(req, at);
  });
}

}  // namespace ferryfs::fs
