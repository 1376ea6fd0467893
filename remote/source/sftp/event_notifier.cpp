#include "remote/source/sftp/event_notifier.hpp"

#include <sys/eventfd.h>

#include <cstdint>

namespace ferryfs::remote::sftp {

event_notifier::event_notifier() : event_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

void event_notifier::notify() noexcept {
  if (!asleep_.exchange(false)) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(event_.get(), &one, sizeof one);
}

void event_notifier::wake_up() noexcept {
  asleep_ = false;
  std::uint64_t count = 0;
  [[maybe_unused]] const auto n = ::read(event_.get(), &count, sizeof count);
}

}  // namespace ferryfs::remote::sftp
