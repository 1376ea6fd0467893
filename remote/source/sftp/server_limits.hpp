// The limits that the server sets (limits@openssh.com), asked for beside the first tasks; until it answers they keep to
// what any server does.
#pragma once

#include "remote/source/sftp/task.hpp"

namespace ferryfs::remote::sftp {

// The most files to be open at once, below the server's 1,024 descriptors.
inline constexpr std::size_t most_files = 900;

struct server_limits {
  std::uint32_t read_length = 32U << 10;   // bytes of a READ
  std::uint32_t write_length = 32U << 10;  // bytes of a WRITE
  std::size_t files = 100;                 // open at once
};

// Nothing waits for it, and no connection counts it. `to` outlives it.
class limits_task final : public task {
 public:
  explicit limits_task(server_limits& to) : to_(to) { ended_ = true; }
  void start(request_sender& w) override;
  void reply(request_sender&, const request&, type got, parser& p) override;
  void lost(const failure&) override {}

 private:
  server_limits& to_;
};

}  // namespace ferryfs::remote::sftp
