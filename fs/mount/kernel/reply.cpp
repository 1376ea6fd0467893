#include "fs/mount/kernel/reply.hpp"

#include <exception>
#include <system_error>

#include "index/base/exception_barrier.hpp"

namespace ferryfs::fs {

int errno_of(const remote::failure& f) noexcept {
  using remote::cause;
  switch (f.why) {
    case cause::unreachable:
    case cause::refused:
      return EHOSTDOWN;
    case cause::timeout:
      return ETIMEDOUT;
    case cause::not_found:
      return ENOENT;
    case cause::permission:
      return EACCES;
    case cause::no_room:
      return ENOSPC;
    case cause::cancelled:
      return EINTR;
    default:
      return EIO;
  }
}

void reply_from(fuse_req_t req, int fd, std::size_t size, off_t offset) {
  fuse_bufvec buffers = FUSE_BUFVEC_INIT(size);
  buffers.buf[0].flags = static_cast<fuse_buf_flags>(FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK);
  buffers.buf[0].fd = fd;
  buffers.buf[0].pos = offset;
  fuse_reply_data(req, &buffers, FUSE_BUF_SPLICE_MOVE);
}

int errno_of_current_exception() noexcept {
  try {
    throw;
  } catch (const answer_errno& e) {
    return e.value;
  } catch (const remote::failure& f) {
    return errno_of(f);
  } catch (const std::system_error& e) {
    return e.code().value();
  } catch (const std::bad_alloc&) {
    return ENOMEM;
  } catch (const std::exception& e) {
    log_once(e.what());
  } catch (...) {
    log_once("an operation failed in an unknown way");
  }
  return EIO;
}

}  // namespace ferryfs::fs
