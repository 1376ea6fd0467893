// read. Opening fetches nothing; the first read of a missing picture does.
#include <fcntl.h>
#include <sys/stat.h>

#include <memory>

#include "fs/mount/kernel/reply.hpp"
#include "fs/mount/operations/handles.hpp"
#include "fs/mount/operations/operations.hpp"
#include "fs/mount/operations/virtual_files.hpp"

namespace ferryfs::fs {
namespace {

using remote::failure;
using remote::local_read;
using remote::partial_read;

// A read of a picture that is not here. The request is parked, and the fetch answers it.
void read_remote(mount_context& v, const std::shared_ptr<parked_request>& parked, const handle_pointer& handle,
                 std::size_t size, off_t offset, bool once_more) {
  const auto id = v.archive.fetch().await_range(
      handle->ino, static_cast<std::uint64_t>(offset), size,
      [&v, parked, handle, size, offset, once_more](const remote::read_result& o) {
        if (const auto* ready = std::get_if<partial_read>(&o)) {
          const bool taken = handle->take(*ready);
          return parked->answer([&](fuse_req_t req) {
            taken ? reply_from(req, ready->file->get(), size, offset) : void(fuse_reply_err(req, EIO));
          });
        }
        if (const auto* unkept = std::get_if<remote::direct_read>(&o)) {
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
  parked->on_deadline([&v, handle] { return v.archive.fetch().last_activity(handle->ino); });
  parked->on_abandoned([&v, handle, id](bool late) {
    if (late) handle->give_up();
    v.archive.fetch().cancel(handle->ino, id);
  });
}

bool is_same_file(const unique_fd& one, const unique_fd& other) {
  struct stat a {
  }, b{};
  return ::fstat(one.get(), &a) == 0 && ::fstat(other.get(), &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

// The picture of an open file may be another now, and its file an outdated copy: bytes of that would stay in the
// kernel's pages for all who read the picture.
void forget_outdated(mount_context& v, open_file& handle) {
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

}  // namespace

void op_read(fuse_req_t req, fuse_ino_t ino, std::size_t size, off_t offset, fuse_file_info* fi) {
  answer(req, [&] {
    mount_context& v = mount_context::of(req);
    if (v.virtual_files.holds(ino)) return read_virtual(req, size, offset, fi);
    const handle_pointer handle = handle_of(fi);
    if (handle->doubted()) forget_outdated(v, *handle);
    const auto file = handle->writes ? local_of(v, *handle) : handle->file();
    if (file && handle->writes && !handle->may_read(*file)) throw answer_errno{EIO};
    if (file) return reply_from(req, file->get(), size, offset);
    if (handle->timed_out_just_now()) throw answer_errno{ETIMEDOUT};
    const auto parked = v.parked.park(req);
    attempt(parked, [&] { read_remote(v, parked, handle, size, offset, true); });
  });
}

}  // namespace ferryfs::fs
