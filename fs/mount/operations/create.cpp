// create.
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <memory>

#include "fs/mount/change/mutation.hpp"
#include "fs/mount/change/unfinished_file.hpp"
#include "fs/mount/kernel/reply.hpp"
#include "fs/mount/operations/handles.hpp"
#include "fs/mount/operations/operations.hpp"
#include "index/base/clock.hpp"

namespace ferryfs::fs {

void op_create(fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode, fuse_file_info* fi) {
  answer(req, [&] {
    mount_context& v = mount_context::of(req);
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
      ino = v.archive.index().run_deferred([&](index::transaction& t) {
        return index::apply_creation(t, {parent, name, now.attributes, now.uid, now.gid, ""}, wall_nanoseconds());
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

}  // namespace ferryfs::fs
