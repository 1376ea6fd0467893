// How much one connection has in flight: bytes requested, files and listings at once. It is what the round trip
// warrants, the link takes and the server allows. Belongs to one thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "remote/source/sftp/server_limits.hpp"

namespace ferryfs::remote::sftp {

class flow_control {
 public:
  using clock = std::chrono::steady_clock;

  // `allowed` may change, and outlives this. `round_trip`: as the handshake showed it.
  flow_control(const server_limits& allowed, clock::duration round_trip);

  // A request for `bytes` is sent. Returns how many had been requested and were not here before it.
  std::uint64_t add(std::uint64_t bytes) noexcept { return std::exchange(in_flight_, in_flight_ + bytes); }
  // The request was answered.
  void record_reply(const request& r);

  bool may_request_more() const noexcept { return in_flight_ < in_flight_limit_; }
  std::size_t listings_limit() const { return std::min(most_listings_, allowed_.files); }
  std::size_t files_limit() const { return std::min(most_files_, allowed_.files); }
  // Of files that are taken for the background.
  std::size_t background_limit() const {
    return throttled_ ? std::min(files_limit(), most_files_throttled) : files_limit();
  }

  // Says that the rate limit makes a file wait.
  void set_throttled(bool throttled) noexcept { throttled_ = throttled; }
  bool is_throttled() const noexcept { return throttled_; }

 private:
  static constexpr std::size_t most_files_throttled = 16;

  void update_round_trip(clock::duration waited);

  const server_limits& allowed_;
  clock::duration round_trip_ = std::chrono::hours{1};
  std::size_t most_files_ = 0, most_listings_ = 0;
  std::uint64_t most_in_flight_ = 0;   // bytes, as the round trip warrants
  std::uint64_t in_flight_limit_ = 0;  // bytes, as the link takes
  std::uint64_t in_flight_ = 0;        // bytes requested and not here
  clock::time_point adapted_;          // when in_flight_limit_ was last judged
  bool throttled_ = false;
};

}  // namespace ferryfs::remote::sftp
