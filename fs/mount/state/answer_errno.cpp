#include "fs/mount/state/answer_errno.hpp"

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
