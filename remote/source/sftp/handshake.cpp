#include "remote/source/sftp/handshake.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "index/base/clock.hpp"
#include "remote/source/sftp/stray_text.hpp"

namespace ferryfs::remote::sftp {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr std::uint32_t version = 3;

class handshake {
 public:
  handshake(ssh::channel& stream, const ssh::target& t, const std::atomic<bool>& stop)
      : stream_(stream), target_(t), stop_(stop) {}

  greeting run() {
    const auto begun = steady_now();
    send_requests();
    read_version();
    // The server may answer in any order.
    auto of_path = receive_packet(), of_attributes = receive_packet();
    if (of_path.size() < 5 || of_attributes.size() < 5) throw protocol_error{"a reply without a number"};
    if (parser{std::span(of_path).subspan(1)}.u32() == id_of_attributes) std::swap(of_path, of_attributes);
    read_root(of_path);
    result_.round_trip = steady_now() - begun;
    if (result_.root.empty() || result_.root.find('\0') != std::string::npos)
      throw protocol_error{"a root that is not a path"};
    read_root_attributes(of_attributes);
    return std::move(result_);
  }

 private:
  static constexpr std::uint32_t id_of_path = 1, id_of_attributes = 2;

  void send_requests() {
    const std::byte init[] = {std::byte{0}, std::byte{0}, std::byte{0}, std::byte{5},      std::byte{1},
                              std::byte{0}, std::byte{0}, std::byte{0}, std::byte{version}};
    std::vector<std::byte> out(std::begin(init), std::end(init));
    builder{out, type::realpath, id_of_path}.string(target_.path).end();
    builder{out, type::stat, id_of_attributes}.string(target_.path.empty() ? "." : target_.path).end();
    const auto deadline = steady_now() + target_.io_timeout;
    for (std::size_t sent = 0; sent < out.size();) {
      const std::size_t n = stream_.write(std::span(out).subspan(sent));
      sent += n;
      if (n == 0) poll_once(deadline);
    }
  }

  void read_version() {
    const auto packet = receive_packet();
    parser p{packet};
    if (static_cast<type>(p.u8()) != type::version) throw protocol_error{"no VERSION in reply to INIT"};
    if (const auto v = p.u32(); v < version) throw protocol_error{fmt::format("version {}; 3 is needed", v)};
    while (!p.empty()) {
      const auto name = p.string();
      p.bytes();
      result_.offered.limits |= name == "limits@openssh.com";
      result_.offered.posix_rename |= name == "posix-rename@openssh.com";
      result_.offered.fsync |= name == "fsync@openssh.com";
      result_.offered.statvfs |= name == "statvfs@openssh.com";
    }
  }

  void read_root(std::span<const std::byte> packet) {
    parser p{packet};
    const auto got = static_cast<type>(p.u8());
    p.u32();
    if (got == type::status && code_of(p) != status::unsupported)
      throw status_failure(target_.where(), target_.path, p);
    if (got != type::status && (got != type::name || p.u32() != 1))
      throw protocol_error{"no name in reply to REALPATH"};
    // Opaque: it may look like "C:/x" or ".".
    result_.root = got == type::name ? std::string{p.string()} : target_.path.empty() ? "." : target_.path;
  }

  void read_root_attributes(std::span<const std::byte> packet) {
    parser p{packet};
    const auto got = static_cast<type>(p.u8());
    p.u32();
    if (got == type::attrs) result_.root_attributes = p.attrs();
    if (result_.root_attributes && !result_.root_attributes->has_kind()) result_.root_attributes.reset();
  }

  // One whole packet, without its length field.
  std::vector<std::byte> receive_packet() {
    const auto deadline = steady_now() + target_.io_timeout;
    std::vector<std::byte> got(4);
    std::size_t have = 0, need = 4;
    while (have < need) {
      const std::size_t n = stream_.read(std::span(got).subspan(have, need - have));
      have += n;
      if (n == 0) poll_once(deadline);
      if (have == 4 && need == 4) {
        const std::uint32_t length = parser{got}.u32();
        if (length == 0 || length > longest_packet) {
          got.resize(200);
          got.resize(4 + stream_.read(std::span(got).subspan(4)));
          throw protocol_error{describe_stray_text(got, length)};
        }
        need += length;
        got.resize(need);
      }
    }
    got.erase(got.begin(), got.begin() + 4);
    return got;
  }

  void poll_once(clock::time_point deadline) {
    if (steady_now() > deadline)
      throw failure{cause::timeout, fmt::format("{}: no answer to the SFTP greeting", target_.where())};
    if (stop_) throw failure{cause::cancelled, "ferryfs is ending"};
    stream_.wait(-1, 100ms);
  }

  ssh::channel& stream_;
  const ssh::target& target_;
  const std::atomic<bool>& stop_;
  greeting result_{};
};

// The server has let us in and ends the channel, for a reason that its stderr may tell.
failure explain_end(const failure& f, ssh::channel& stream, const std::string& where) {
  const std::string text = stream.complaint();
  // PAM says that a password has expired before the login, where libssh2 1.10 hears nothing.
  if (text.empty() && stream.at_end())
    return {f.why, fmt::format("{}: the server accepts the login and ends at once, without starting SFTP; the "
                               "account's password may have expired, or its shell exits by itself: log in once by hand",
                               where)};
  if (text.empty()) return f;
  if (is_about_password(text))
    return {cause::refused, fmt::format("{}: the account's password has expired, or must be changed; log in once by "
                                        "hand (the server says: {})",
                                        where, text)};
  return {f.why, fmt::format("{} (it says: {})", f.text, text)};
}

}  // namespace

greeting exchange_greetings(ssh::channel& stream, const ssh::target& t, const std::atomic<bool>& stop) {
  try {
    return handshake{stream, t, stop}.run();
  } catch (const protocol_error& b) {
    throw failure{cause::protocol, fmt::format("{}: not an SFTP server: {}", t.where(), b.text)};
  } catch (const failure& f) {
    if (f.why != cause::unreachable) throw;
    throw failure{explain_end(f, stream, t.where())};
  }
}

}  // namespace ferryfs::remote::sftp
