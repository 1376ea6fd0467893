// readlink: a link of the source is judged whenever somebody follows it, as any change in the tree may be on its way.
#include <sys/stat.h>

#include "fs/mount/kernel/reply.hpp"
#include "fs/mount/operations/operations.hpp"
#include "fs/mount/view/mount_context.hpp"
#include "index/update/source_links.hpp"

namespace ferryfs::fs {
namespace {

struct judgement {
  entry link;
  bool refused = false;
  std::optional<inode> unlisted;  // the directory whose listing would tell
};

judgement judge(mount_context& v, fuse_ino_t ino) {
  const auto reader = v.archive.readers().borrow();
  const auto frozen = reader->freeze();
  auto e = reader->by_inode(ino);
  if (!e || is_hidden(e->state)) throw answer_errno{ENOENT};
  if (!e->is_link()) throw answer_errno{EINVAL};
  judgement j{*std::move(e), false, {}};
  if (!index::is_of_source(j.link)) return j;
  index::link_judge of_rows{*reader, v.archive.links()};
  j.refused = !of_rows.objection(j.link).empty();
  j.unlisted = of_rows.unlisted();
  return j;
}

void reply(fuse_req_t req, const judgement& j) {
  if (j.refused) throw answer_errno{EACCES};
  fuse_reply_readlink(req, j.link.target.c_str());
}

// While the source is scanned, the listing of a directory on the way is waited for, and then that of the next.
void reply_when_listed(mount_context& v, const std::shared_ptr<parked_request>& parked, fuse_ino_t ino,
                       inode directory) {
  attempt(parked, [&] {
    v.archive.when_listed(directory, [&v, parked, ino](const std::optional<remote::failure>& why) {
      attempt(parked, [&] {
        const auto j = judge(v, ino);
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
    const auto j = judge(v, ino);
    if (j.refused && j.unlisted) return reply_when_listed(v, v.parked.park(req), ino, *j.unlisted);
    reply(req, j);
  });
}

}  // namespace ferryfs::fs
