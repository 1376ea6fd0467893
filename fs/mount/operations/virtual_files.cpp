#include "fs/mount/operations/virtual_files.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "fs/mount/kernel/reply.hpp"

namespace ferryfs::fs {
namespace {

void reply_virtual(fuse_req_t req, virtual_handle_pointer handle, fuse_file_info* fi) {
  auto kept = std::make_unique<virtual_handle_pointer>(std::move(handle));
  fi->fh = reinterpret_cast<std::uint64_t>(kept.get());
  fi->noflush = 1;
  if (fuse_reply_open(req, fi) == 0) (void)kept.release();
}

}  // namespace

void open_virtual(fuse_req_t req, mount_context& v, fuse_ino_t ino, fuse_file_info* fi) {
  if (v.virtual_files.is_directory(ino)) throw answer_errno{EISDIR};
  const bool writes = (fi->flags & O_ACCMODE) != O_RDONLY;
  if (writes && (v.virtual_files.mode(ino) & 0222) == 0) throw answer_errno{EACCES};
  fi->direct_io = 1;  // a file that is made anew at each open has no size to be cached by
  const auto open = [&v, ino] {
    auto [text, file] = v.virtual_files.open(ino);
    return std::make_shared<virtual_handle>(std::move(text), std::move(file));
  };
  if (!v.virtual_files.is_slow(ino)) return reply_virtual(req, open(), fi);
  const auto parked = v.parked.park_without_deadline(req);
  v.lists.post([parked, open, info = *fi]() mutable {
    attempt(parked, [&] { parked->answer([&, handle = open()](fuse_req_t q) { reply_virtual(q, handle, &info); }); });
  });
}

void read_virtual(fuse_req_t req, std::size_t size, off_t offset, fuse_file_info* fi) {
  const virtual_handle_pointer handle =
      virtual_handle_of(fi);  // a share of it: once replied, the kernel may release its own
  if (handle->file) return reply_from(req, handle->file.get(), size, offset);
  std::string part;
  {
    const lock held{handle->mutex_};
    const auto from = std::min(static_cast<std::size_t>(offset), handle->text.size());
    part = handle->text.substr(from, size);
  }
  fuse_reply_buf(req, part.data(), part.size());
}

void write_virtual(fuse_req_t req, mount_context& v, const std::string& bytes, fuse_file_info* fi) {
  const auto parked = v.parked.park_without_deadline(req);
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

}  // namespace ferryfs::fs
