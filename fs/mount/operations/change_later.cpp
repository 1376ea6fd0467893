#include "fs/mount/operations/change_later.hpp"

#include <cerrno>

#include "fs/mount/change/hydrate.hpp"
#include "fs/mount/kernel/reply.hpp"

namespace ferryfs::fs {

void change_later(fuse_req_t req, mount_context& v, const handle_pointer& handle, partial_change change) {
  const auto parked = v.parked.park(req);
  attempt(parked, [&] {
    with_hydrated(v, handle->ino, parked, [&v, parked, handle, change = std::move(change)] {
      parked->answer([&](fuse_req_t q) {
        answer(q, [&] {
          const auto file = local_of(v, *handle);
          if (!file) throw answer_errno{EIO};
          change(q, file);
        });
      });
    });
  });
}

}  // namespace ferryfs::fs
