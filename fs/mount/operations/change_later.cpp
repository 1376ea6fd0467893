#include "fs/mount/operations/change_later.hpp"

#include <cerrno>

#include "fs/mount/change/changes.hpp"
#include "fs/mount/kernel/reply.hpp"

namespace ferryfs::fs {

void when_hydrated(fuse_req_t req, mount_context& v, inode ino, std::function<void(fuse_req_t)> change) {
  const auto parked = v.parked.park(req);
  // The parked requests outlive the tree, and the fetcher both.
  parked->on_deadline([&fetch = v.tree.archive.fetch(), ino] { return fetch.last_activity(ino); });
  attempt(parked, [&] {
    hydrate(v.tree, ino, [parked, change = std::move(change)](const std::optional<remote::failure>& why) {
      parked->answer([&](fuse_req_t q) {
        answer(q, [&] {
          if (why) throw remote::failure{*why};
          change(q);
        });
      });
    });
  });
}

void change_later(fuse_req_t req, mount_context& v, const handle_pointer& handle, partial_change change) {
  when_hydrated(req, v, handle->ino, [&v, handle, change = std::move(change)](fuse_req_t q) {
    const auto file = file_to_change(v.tree, *handle);
    if (!file) throw answer_errno{EIO};
    change(q, file);
  });
}

}  // namespace ferryfs::fs
