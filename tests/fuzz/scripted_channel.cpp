// ssh::channel without SSH: stands in the place of remote/source/ssh/channel.cpp, which is then not linked.
#include "tests/fuzz/scripted_channel.hpp"

#include <cstring>

#include "remote/source/ssh/channel.hpp"

namespace ferryfs::fuzz {
namespace {

other_end* connected = nullptr;

}  // namespace

void connect_to(other_end* end) { connected = end; }

}  // namespace ferryfs::fuzz

namespace ferryfs::remote::ssh {

void channel::session_deleter::operator()(LIBSSH2_SESSION*) const noexcept {}

channel::channel(const target& t, const std::atomic<bool>& stop, bool*) : target_(&t), stop_(&stop) {}

void channel::start(const std::string&) {}

std::size_t channel::read(std::span<std::byte> into) {
  const std::string bytes = fuzz::connected->asked(into.size());
  std::memcpy(into.data(), bytes.data(), bytes.size());
  return bytes.size();
}

std::size_t channel::write(std::span<const std::byte> from) {
  fuzz::connected->sent(from);
  return from.size();
}

std::string channel::complaint() { return ""; }

void channel::wait(int, std::chrono::milliseconds at_most) { fuzz::connected->waited(at_most); }

}  // namespace ferryfs::remote::ssh
