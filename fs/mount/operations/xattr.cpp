// getxattr, listxattr, setxattr, removexattr.
#include <string>

#include "fs/mount/change/changes.hpp"
#include "fs/mount/kernel/reply.hpp"
#include "fs/mount/operations/change_later.hpp"
#include "fs/mount/operations/mount_context.hpp"
#include "fs/mount/operations/operations.hpp"
#include "fs/mount/view/answers.hpp"

namespace ferryfs::fs {

// A request of size 0 is answered with the length; one of less than the length with ERANGE.
void op_getxattr(fuse_req_t req, fuse_ino_t ino, const char* name, std::size_t size) {
  answer(req, [&] {
    mount_context& v = mount_context::of(req);
    if (v.virtual_files.holds(ino)) throw answer_errno{is_passed_on(name) ? ENODATA : EOPNOTSUPP};
    const auto a = extended_attribute_of(v.tree, ino, name, size);
    size == 0 ? fuse_reply_xattr(req, a.length) : fuse_reply_buf(req, a.value.data(), a.value.size());
  });
}

void op_listxattr(fuse_req_t req, fuse_ino_t ino, std::size_t size) {
  answer(req, [&] {
    mount_context& v = mount_context::of(req);
    std::string names;
    if (!v.virtual_files.holds(ino)) names = extended_attribute_names(v.tree, ino, fuse_req_ctx(req)->uid == 0);
    if (size != 0 && size < names.size()) throw answer_errno{ERANGE};
    size == 0 ? fuse_reply_xattr(req, names.size()) : fuse_reply_buf(req, names.data(), names.size());
  });
}

void op_setxattr(fuse_req_t req, fuse_ino_t ino, const char* name, const char* value, std::size_t size, int flags) {
  answer(req, [&] {
    mount_context& v = mount_context::of(req);
    v.refuse_virtual(ino);
    if (set_extended_attribute(v.tree, ino, name, {value, size}, flags)) return void(fuse_reply_err(req, 0));
    when_hydrated(req, v, ino, [&v, ino, name = std::string(name), value = std::string(value, size), flags](auto q) {
      set_extended_attribute_of_hydrated(v.tree, ino, name.c_str(), value, flags);
      fuse_reply_err(q, 0);
    });
  });
}

void op_removexattr(fuse_req_t req, fuse_ino_t ino, const char* name) {
  answer(req, [&] {
    mount_context& v = mount_context::of(req);
    v.refuse_virtual(ino);
    remove_extended_attribute(v.tree, ino, name);
    fuse_reply_err(req, 0);
  });
}

}  // namespace ferryfs::fs
