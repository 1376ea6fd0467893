#include "remote/source/sftp/reply_deadlines.hpp"

namespace ferryfs::remote::sftp {

std::vector<std::shared_ptr<task>> reply_deadlines::find_stuck(const pending_requests& pending) {
  const auto now = steady_now();
  if (now - last_look_ < std::chrono::seconds(1)) return {};
  last_look_ = now;
  return pending.overtaken(now, longest_silence_);
}

}  // namespace ferryfs::remote::sftp
