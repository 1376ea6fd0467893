#include "remote/source/sftp/flow_control.hpp"

#include "index/base/clock.hpp"

namespace ferryfs::remote::sftp {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t least_in_flight = 512U << 10;  // bytes requested
constexpr std::uint64_t most_in_flight = 8U << 20;     // what 50 ms at 160 MB/s hold
constexpr std::size_t least_files = 150;
constexpr std::size_t least_listings = 24;  // on a short way
constexpr std::size_t most_listings = 400;  // on a long one, where a listing is two round trips of waiting

}  // namespace

flow_control::flow_control(const server_limits& allowed, clock::duration round_trip) : allowed_(allowed) {
  update_round_trip(round_trip);
  in_flight_limit_ = std::max(least_in_flight, most_in_flight_ * 3 / 8);  // until it is known what the link takes
}

// The shortest answer shows the round trip. As much is requested as the link holds, and no more: the rest would only
// wait in the server, whose sshd copies all that it has not sent yet whenever that grows, and keep a reader waiting.
void flow_control::update_round_trip(clock::duration waited) {
  if (waited >= round_trip_) return;
  round_trip_ = waited;
  const auto part = std::min(1.0, std::chrono::duration<double>(round_trip_) / std::chrono::duration<double>(50ms));
  most_in_flight_ = least_in_flight + static_cast<std::uint64_t>(part * (most_in_flight - least_in_flight));
  in_flight_limit_ = std::min(in_flight_limit_, most_in_flight_);
  most_listings_ = least_listings + static_cast<std::size_t>(part * (most_listings - least_listings));
  most_files_ = least_files + static_cast<std::size_t>(part * (most_files - least_files));
}

// A slow READ queued on a full link: the limit is lowered, so that a reader's READ waits less. A quick one while the
// limit was well used raises it. Only a READ that was sent after the last adjustment counts.
void flow_control::record_reply(const request& r) {
  in_flight_ -= r.part.length;
  const auto now = steady_now();
  const auto waited = now - r.sent_at;
  update_round_trip(waited);
  if (r.sent != type::read || r.sent_at < adapted_) return;
  adapted_ = now;
  if (waited > 4 * round_trip_ + 100ms)
    in_flight_limit_ = std::max(least_in_flight, in_flight_limit_ * 3 / 4);
  else if (r.in_flight_before > in_flight_limit_ / 2)
    in_flight_limit_ = std::min(most_in_flight_, in_flight_limit_ * 2);
}

}  // namespace ferryfs::remote::sftp
