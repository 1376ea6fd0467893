// lookup and forget. An inode number is a row id: only of removed ones something is remembered for the kernel.
#include <linux/limits.h>
#include <sys/stat.h>

#include <cstring>

#include "fs/mount/kernel/reply.hpp"
#include "fs/mount/operations/operations.hpp"
#include "fs/mount/view/mount_context.hpp"
#include "index/base/path.hpp"

namespace ferryfs::fs {
namespace {

// `generation`: of written_files, before the row was read.
void reply_entry(fuse_req_t req, mount_context& v, std::uint64_t generation, const std::optional<entry>& e) {
  if (e && !is_hidden(e->state)) {
    const auto p = parameters_of(v, generation, *e);
    fuse_reply_entry(req, &p);
  } else {
    fuse_entry_param p{};  // inode 0: a name that is not there, to be remembered as such
    p.entry_timeout = cache_time;
    fuse_reply_entry(req, &p);
  }
}

void reply_virtual(fuse_req_t req, mount_context& v, fuse_ino_t ino) {
  if (ino == 0) throw answer_errno{ENOENT};
  fuse_entry_param p{};
  p.ino = ino;
  const auto attributes = v.virtual_files.attributes(ino);
  if (!attributes) throw answer_errno{ENOENT};
  p.attr = *attributes;
  p.entry_timeout = v.virtual_files.is_steady(ino) ? cache_time : 0;
  p.attr_timeout = 0;  // its files are made anew at each open
  fuse_reply_entry(req, &p);
}

// Whether a name is in a directory that was never listed, only its listing can tell.
void look_up_when_listed(fuse_req_t req, mount_context& v, fuse_ino_t parent, std::string name) {
  const auto parked = v.parked.park(req);
  const auto listed = [&v, parked, parent, name](const std::optional<remote::failure>& why) {
    parked->answer([&](fuse_req_t r) {
      answer(r, [&] {
        const auto generation = v.written.generation();
        const auto e = v.archive.readers().borrow()->child(parent, name);
        if (!e && why) throw remote::failure{*why};
        reply_entry(r, v, generation, e);
      });
    });
  };
  attempt(parked, [&] { v.archive.when_listed(parent, listed); });
}

}  // namespace

void op_lookup(fuse_req_t req, fuse_ino_t parent, const char* name) {
  answer(req, [&] {
    mount_context& v = mount_context::of(req);
    if (v.virtual_files.holds(parent)) return reply_virtual(req, v, v.virtual_files.child(parent, name));
    if (parent == root_inode && name == own_directory) return reply_virtual(req, v, v.virtual_files.root());
    if (std::strlen(name) > NAME_MAX) throw answer_errno{ENAMETOOLONG};
    std::optional<entry> found;
    bool unsure = false;
    const auto generation = v.written.generation();
    v.archive.look([&](auto& rows) {
      // The directory first: if it was listed before the name was looked for, a name that is not found is not there.
      const auto directory = rows.by_inode(parent);
      found = rows.child(parent, name);
      unsure = !found && directory && directory->never_listed();
    });
    if (unsure) return look_up_when_listed(req, v, parent, name);
    reply_entry(req, v, generation, found);
  });
}

// The kernel forgets an inode as a whole (fs/fuse/inode.c, fuse_evict_inode).
void op_forget(fuse_req_t req, fuse_ino_t ino, std::uint64_t) {
  mount_context::of(req).departed->removed.forget(ino);
  fuse_reply_none(req);
}

void op_forget_multi(fuse_req_t req, std::size_t count, fuse_forget_data* forgets) {
  for (std::size_t i = 0; i < count; ++i) mount_context::of(req).departed->removed.forget(forgets[i].ino);
  fuse_reply_none(req);
}

}  // namespace ferryfs::fs
