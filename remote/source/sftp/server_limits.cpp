#include "remote/source/sftp/server_limits.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace ferryfs::remote::sftp {
namespace {

constexpr std::uint32_t longest_read = 255U << 10;  // what OpenSSH's sftp-server answers at most
constexpr std::uint32_t longest_write = 128U << 10;
constexpr std::uint32_t least_length = 1024;  // a server that moves less at a time would never be done

}  // namespace

void limits_task::start(request_sender& w) {
  w.begin({shared_from_this(), type::extended, {}, {}}).string("limits@openssh.com").end();
}

void limits_task::reply(request_sender&, const request&, type got, parser& p) {
  if (got != type::extended_reply) return;
  std::uint64_t read = 0, write = 0, handles = 0;
  try {
    p.u64();
    read = p.u64(), write = p.u64(), handles = p.u64();
  } catch (const protocol_error&) {  // then it has not said what it allows
  }
  for (const auto& [length, what] : {std::pair{read, "READ"}, {write, "WRITE"}})
    if (length != 0 && length < least_length)
      throw protocol_error{
          fmt::format("it allows {} bytes a {}; fewer than {} are of no use", length, what, least_length)};
  if (read != 0) to_.read_length = static_cast<std::uint32_t>(std::min<std::uint64_t>(read, longest_read));
  if (write != 0) to_.write_length = static_cast<std::uint32_t>(std::min<std::uint64_t>(write, longest_write));
  const std::size_t most = handles == 0 ? most_files : static_cast<std::size_t>(std::min<std::uint64_t>(handles, 1000));
  to_.files = std::clamp<std::size_t>(most * 9 / 10, 1, most_files);
}

}  // namespace ferryfs::remote::sftp
