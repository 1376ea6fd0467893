// mkdir, symlink, mknod, link, unlink, rmdir, rename.
#include <cerrno>

#include "fs/mount/change/changes.hpp"
#include "fs/mount/kernel/reply.hpp"
#include "fs/mount/operations/entry_reply.hpp"
#include "fs/mount/operations/mount_context.hpp"
#include "fs/mount/operations/operations.hpp"

namespace ferryfs::fs {
namespace {

// The tree in which a name of `parent` may be changed; throws EPERM below .ferryfs.
merged_tree& tree_of(fuse_req_t req, fuse_ino_t parent) {
  mount_context& v = mount_context::of(req);
  v.refuse_virtual(parent);
  return v.tree;
}

}  // namespace

void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode) {
  answer(req, [&] { reply_entry(req, make_directory(tree_of(req, parent), caller_of(req), parent, name, mode)); });
}

void op_symlink(fuse_req_t req, const char* target, fuse_ino_t parent, const char* name) {
  answer(req, [&] { reply_entry(req, make_link(tree_of(req, parent), caller_of(req), parent, name, target)); });
}

void op_mknod(fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode, dev_t device) {
  answer(req, [&] { reply_entry(req, make_node(tree_of(req, parent), caller_of(req), parent, name, mode, device)); });
}

// One name a picture: a second one would be fetched, counted and compared as another.
void op_link(fuse_req_t req, fuse_ino_t, fuse_ino_t, const char*) { fuse_reply_err(req, EPERM); }

void op_unlink(fuse_req_t req, fuse_ino_t parent, const char* name) {
  answer(req, [&] {
    remove_name(tree_of(req, parent), parent, name);
    fuse_reply_err(req, 0);
  });
}

void op_rmdir(fuse_req_t req, fuse_ino_t parent, const char* name) {
  answer(req, [&] {
    remove_directory(tree_of(req, parent), parent, name);
    fuse_reply_err(req, 0);
  });
}

void op_rename(fuse_req_t req, fuse_ino_t parent, const char* name, fuse_ino_t new_parent, const char* new_name,
               unsigned flags) {
  answer(req, [&] {
    mount_context::of(req).refuse_virtual(new_parent);
    rename_entry(tree_of(req, parent), parent, name, new_parent, new_name, flags);
    fuse_reply_err(req, 0);
  });
}

}  // namespace ferryfs::fs
