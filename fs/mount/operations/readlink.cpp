// readlink.
#include "fs/mount/kernel/reply.hpp"
#include "fs/mount/operations/mount_context.hpp"
#include "fs/mount/operations/operations.hpp"
#include "fs/mount/view/answers.hpp"

namespace ferryfs::fs {
namespace {

void reply(fuse_req_t req, const link_judgement& j) {
  if (j.refused) throw answer_errno{EACCES};
  fuse_reply_readlink(req, j.link.target.c_str());
}

// While the source is scanned, the listing of a directory on the way is waited for, and then that of the next.
void reply_when_listed(mount_context& v, const std::shared_ptr<parked_request>& parked, fuse_ino_t ino,
                       inode directory) {
  attempt(parked, [&] {
    v.tree.archive.when_listed(directory, [&v, parked, ino](const std::optional<remote::failure>& why) {
      attempt(parked, [&] {
        const auto j = judge_link(v.tree, ino);
        if (!why && j.refused && j.unlisted) return reply_when_listed(v, parked, ino, *j.unlisted);
        parked->answer([&](fuse_req_t r) { answer(r, [&] { reply(r, j); }); });
      });
    });
  });
}

}  // namespace

void op_readlink(fuse_req_t req, fuse_ino_t ino) {
  answer(req, [&] {
    mount_context& v = mount_context::of(req);
    if (v.virtual_files.holds(ino)) {
      const std::string target = v.virtual_files.target(ino);
      if (target.empty()) throw answer_errno{EINVAL};
      fuse_reply_readlink(req, target.c_str());
      return;
    }
    const auto j = judge_link(v.tree, ino);
    if (j.refused && j.unlisted) return reply_when_listed(v, v.parked.park(req), ino, *j.unlisted);
    reply(req, j);
  });
}

}  // namespace ferryfs::fs
