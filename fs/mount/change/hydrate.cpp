#include "fs/mount/change/hydrate.hpp"

#include "fs/mount/kernel/reply.hpp"

namespace ferryfs::fs {

void with_hydrated(view& v, inode ino, const std::shared_ptr<parked_request>& parked, std::function<void()> then) {
  std::optional<entry> e;
  std::optional<std::string> path;
  {
    const auto reader = v.archive.readers().borrow();
    e = reader->by_inode(ino);
    path = reader->source_path(ino);
  }
  if (!e || !path || is_hidden(e->state)) throw answer_errno{ENOENT};
  if (e->is_local()) return then();
  parked->on_deadline([&v, ino] { return v.archive.fetch().last_activity(ino); });
  v.archive.fetch().fetch(*e, *path, remote::priority::demand, [&v, parked, then = std::move(then)](const auto& why) {
    if (!why) return v.changes.post(then);
    parked->answer([&](fuse_req_t req) { fuse_reply_err(req, errno_of(*why)); });
  });
}

}  // namespace ferryfs::fs
