// write. Bytes go straight to the local file; the index learns size and time when the file is closed or synced, and
// until then `written_files` shows them.
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <memory>
#include <string>

#include "fs/mount/kernel/reply.hpp"
#include "fs/mount/operations/change_later.hpp"
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

// `write` returns how many bytes it has written at `offset`, or less than 0.
template <typename Write>
ssize_t write_from(mount_context& v, inode ino, const std::shared_ptr<const unique_fd>& file, off_t offset,
                   Write&& write) {
  written_files::pending_write under_way{v.written, ino, file};
  const ssize_t n = write();
  if (n > 0) under_way.reached(offset + n);
  return n;
}

}  // namespace

void op_write_buf(fuse_req_t req, fuse_ino_t ino, fuse_bufvec* from, off_t offset, fuse_file_info* fi) {
  answer(req, [&] {
    mount_context& v = mount_context::of(req);
    if (v.virtual_files.holds(ino)) return write_virtual(req, v, bytes_of(from), fi);
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

}  // namespace ferryfs::fs
