// open and release.
#include <fcntl.h>
#include <unistd.h>

#include <memory>
#include <mutex>
#include <shared_mutex>

#include "fs/mount/change/mutation.hpp"
#include "fs/mount/kernel/read_ahead.hpp"
#include "fs/mount/kernel/reply.hpp"
#include "fs/mount/operations/handles.hpp"
#include "fs/mount/operations/operations.hpp"
#include "fs/mount/operations/virtual_files.hpp"
#include "index/base/mutex.hpp"

namespace ferryfs::fs {
namespace {

// Opens the file that `handle` is to write to and enters the handle among the open ones, in one step under the lock of
// names: whoever decides about the bytes here holds that lock exclusively, and so sees the handle. False: the picture
// is not here.
bool open_to_change(mount_context& v, const handle_pointer& handle, bool truncates, bool maps) {
  const shared_lock held{v.archive.where().namespace_lock()};
  const auto e = v.archive.readers().borrow()->by_inode(handle->ino);
  if (!e || is_hidden(e->state)) throw answer_errno{ENOENT};
  if (e->is_local()) {
    // Written through one's own open file, read through it as well: the kernel fills pages that are written in part.
    const auto file = open_named(v, *e, handle->writes || truncates ? O_RDWR : O_RDONLY);
    if (maps && v.passthrough.passes_another(e->ino, *file)) throw answer_errno{EBUSY};
    if (truncates && ::ftruncate(file->get(), 0) != 0) throw answer_errno{errno};
    handle->set_file(file);
    if (truncates) v.written.mark(handle->ino, file);
  }
  v.open_pictures.add(handle);
  return e->is_local();
}

void open_to_read(mount_context& v, const handle_pointer& handle) {
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
  if (e->is_local()) {
    if (!path) throw answer_errno{ENOENT};
    handle->set_file(open_local(v, *e, *path, O_RDONLY));
  }
  v.open_pictures.add(handle);
}

}  // namespace

void op_open(fuse_req_t req, fuse_ino_t ino, fuse_file_info* fi) {
  answer(req, [&] {
    mount_context& v = mount_context::of(req);
    std::call_once(v.first_open, raise_read_ahead, v.mountpoint);
    if (v.virtual_files.holds(ino)) return open_virtual(req, v, ino, fi);
    const bool writes = (fi->flags & O_ACCMODE) != O_RDONLY, truncates = (fi->flags & O_TRUNC) != 0;
    auto handle = std::make_shared<open_file>(ino, writes);
    if (!writes && !truncates) {
      open_to_read(v, handle);
    } else if (!open_to_change(v, handle, truncates, may_map_to_write(fi)) && truncates) {
      try {
        handle->set_file(replace_missing(v, ino));
      } catch (...) {
        v.open_pictures.remove(handle);
        throw;
      }
    }
    reply_handle(req, v, handle, fi, [&] { return fuse_reply_open(req, fi); });
  });
}

void op_release(fuse_req_t req, fuse_ino_t ino, fuse_file_info* fi) {
  answer(req, [&] {
    mount_context& v = mount_context::of(req);
    if (v.virtual_files.holds(ino)) {
      delete &virtual_handle_of(fi);
    } else {
      end_open(req, v, handle_of(fi));
    }
    fuse_reply_err(req, 0);
  });
}

}  // namespace ferryfs::fs
