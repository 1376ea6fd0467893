// read: of a local file at once, by the kernel's own copy; of a missing picture when its bytes have come.
#include <memory>

#include "fs/mount/kernel/reply.hpp"
#include "fs/mount/operations/handles.hpp"
#include "fs/mount/operations/operations.hpp"
#include "fs/mount/operations/virtual_files.hpp"
#include "fs/mount/view/answers.hpp"

namespace ferryfs::fs {
namespace {

// A read of a picture that is not here. The request is parked, and the fetch answers it.
class parked_read final : public read_waiter {
 public:
  parked_read(mount_context& v, std::shared_ptr<parked_request> parked, handle_pointer handle, std::size_t size,
              off_t offset)
      : context_(v), parked_(std::move(parked)), handle_(std::move(handle)), size_(size), offset_(offset) {}

  void answer(const std::function<missing_bytes()>& bytes) override {
    parked_->answer([&](fuse_req_t req) {
      fs::answer(req, [&] {
        const auto got = bytes();
        if (const auto* file = std::get_if<std::shared_ptr<const unique_fd>>(&got))
          return reply_from(req, (*file)->get(), size_, offset_);
        const auto& unkept = std::get<std::span<const std::byte>>(got);
        fuse_reply_buf(req, reinterpret_cast<const char*>(unkept.data()), unkept.size());
      });
    });
  }
  bool is_answered() override { return parked_->answered(); }
  void waits_as(std::uint64_t id) override {
    // The parked requests outlive the tree, and the fetcher both.
    auto& fetch = context_.tree.archive.fetch();
    parked_->on_deadline([&fetch, ino = handle_->ino] { return fetch.last_activity(ino); });
    parked_->on_abandoned([&fetch, handle = handle_, id](bool late) {
      if (late) handle->give_up();
      fetch.cancel(handle->ino, id);
    });
  }

 private:
  mount_context& context_;
  const std::shared_ptr<parked_request> parked_;
  const handle_pointer handle_;
  const std::size_t size_;
  const off_t offset_;
};

}  // namespace

void op_read(fuse_req_t req, fuse_ino_t ino, std::size_t size, off_t offset, fuse_file_info* fi) {
  answer(req, [&] {
    mount_context& v = mount_context::of(req);
    if (v.virtual_files.holds(ino)) return read_virtual(req, size, offset, fi);
    const handle_pointer handle = handle_of(fi);
    if (const auto file = file_to_read(v.tree, *handle)) return reply_from(req, file->get(), size, offset);
    const auto parked = v.parked.park(req);
    attempt(parked, [&] {
      read_missing(v.tree, handle, size, offset, std::make_shared<parked_read>(v, parked, handle, size, offset));
    });
  });
}

}  // namespace ferryfs::fs
