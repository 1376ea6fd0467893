// flush, fsync, fsyncdir: the index learns of what was written, and is as durable as the disk.
#include <unistd.h>

#include <cerrno>

#include "fs/mount/change/mutation.hpp"
#include "fs/mount/kernel/reply.hpp"
#include "fs/mount/operations/handles.hpp"
#include "fs/mount/operations/operations.hpp"

namespace ferryfs::fs {

void op_flush(fuse_req_t req, fuse_ino_t ino, fuse_file_info*) {
  answer(req, [&] {
    mount_context& v = mount_context::of(req);
    if (!v.virtual_files.holds(ino)) record_written(v, ino);
    fuse_reply_err(req, 0);
  });
}

void op_fsync(fuse_req_t req, fuse_ino_t ino, int data_only, fuse_file_info* fi) {
  answer(req, [&] {
    mount_context& v = mount_context::of(req);
    if (!v.virtual_files.holds(ino)) {
      if (const auto file = handle_of(fi)->file())
        if ((data_only != 0 ? ::fdatasync(file->get()) : ::fsync(file->get())) != 0) throw answer_errno{errno};
      record_written(v, ino);
      v.archive.index().sync(ino);
    }
    fuse_reply_err(req, 0);
  });
}

// Removals and renames in the directory become durable: the disk's part and the index's.
void op_fsyncdir(fuse_req_t req, fuse_ino_t ino, int, fuse_file_info*) {
  answer(req, [&] {
    mount_context& v = mount_context::of(req);
    if (!v.virtual_files.holds(ino)) {
      const auto open = [&] {
        const name_change reading{v};
        return open_destination_directory(v, ino, false);
      };
      if (const auto here = open(); here && ::fsync(here.get()) != 0) throw answer_errno{errno};
      v.archive.index().sync();
    }
    fuse_reply_err(req, 0);
  });
}

}  // namespace ferryfs::fs
