// getattr, setattr, statfs.
#include <sys/stat.h>

#include "fs/mount/kernel/reply.hpp"
#include "fs/mount/operations/change_later.hpp"
#include "fs/mount/operations/entry_reply.hpp"
#include "fs/mount/operations/mount_context.hpp"
#include "fs/mount/operations/operations.hpp"

namespace ferryfs::fs {
namespace {

void reply_virtual(fuse_req_t req, mount_context& v, fuse_ino_t ino) {
  const auto st = v.virtual_files.attributes(ino);
  if (!st) throw answer_errno{ENOENT};
  fuse_reply_attr(req, &*st, 0);
}

attribute_changes changes_of(const struct stat& to, int set) {
  const auto is_set = [set](int bit) { return (set & bit) != 0; };
  const auto time = [&](const timespec& given, int wanted, int now) -> std::optional<timespec> {
    if (is_set(now)) return timespec{0, UTIME_NOW};
    if (is_set(wanted)) return given;
    return std::nullopt;
  };
  attribute_changes c;
  if (is_set(FUSE_SET_ATTR_MODE)) c.mode = to.st_mode;
  if (is_set(FUSE_SET_ATTR_UID)) c.uid = to.st_uid;
  if (is_set(FUSE_SET_ATTR_GID)) c.gid = to.st_gid;
  if (is_set(FUSE_SET_ATTR_SIZE)) c.size = to.st_size;
  c.atime = time(to.st_atim, FUSE_SET_ATTR_ATIME, FUSE_SET_ATTR_ATIME_NOW);
  c.mtime = time(to.st_mtim, FUSE_SET_ATTR_MTIME, FUSE_SET_ATTR_MTIME_NOW);
  return c;
}

}  // namespace

void op_getattr(fuse_req_t req, fuse_ino_t ino, fuse_file_info*) {
  answer(req, [&] {
    mount_context& v = mount_context::of(req);
    if (v.virtual_files.holds(ino)) return reply_virtual(req, v, ino);
    reply_attributes(req, attributes(v.tree, ino));
  });
}

void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat* to, int set, fuse_file_info*) {
  answer(req, [&] {
    mount_context& v = mount_context::of(req);
    if (v.virtual_files.holds(ino)) return reply_virtual(req, v, ino);  // `echo pause > control` truncates it first
    const auto changes = changes_of(*to, set);
    if (const auto now = set_attributes(v.tree, ino, changes)) return reply_attributes(req, *now);
    when_hydrated(req, v, ino, [&v, ino, changes](fuse_req_t q) {
      reply_attributes(q, set_attributes_of_hydrated(v.tree, ino, changes));
    });
  });
}

void op_statfs(fuse_req_t req, fuse_ino_t) {
  answer(req, [&] {
    const struct statvfs s = mount_context::of(req).tree.archive.where().space();
    fuse_reply_statfs(req, &s);
  });
}

}  // namespace ferryfs::fs
