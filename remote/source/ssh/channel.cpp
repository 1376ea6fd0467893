#include "remote/source/ssh/channel.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "index/base/clock.hpp"
#include "index/base/path.hpp"
#include "remote/source/failure.hpp"
#include "remote/source/ssh/host_key.hpp"
#include "remote/source/ssh/login.hpp"

namespace ferryfs::remote::ssh {
namespace {

using namespace std::chrono;

// Packets of at most 32,768 bytes: libssh2 breaks on larger ones. The window is what a long link can hold in flight.
constexpr unsigned packet_size = 32'768;
constexpr unsigned window_size = 32U << 20;
// Without a remedy of its own, the first of these that both sides know: the fastest for libssh2 1.10 and OpenSSL.
constexpr const char* ciphers = "aes128-ctr,aes256-ctr,aes192-ctr";
constexpr const char* macs = "hmac-sha2-256,hmac-sha2-512,hmac-sha1";

unique_fd connect_to(const addrinfo& address, milliseconds at_most, const std::atomic<bool>& stop, std::string& why) {
  unique_fd fd{::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!fd) return fd;
  const int on = 1;
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(fd.get(), address.ai_addr, address.ai_addrlen) == 0) return fd;
  int problem = errno;
  if (problem == EINPROGRESS) {
    pollfd p{fd.get(), POLLOUT, 0};
    const auto end = steady_now() + at_most;
    int ready = 0;
    while ((ready = poll(&p, 1, 100)) == 0 && steady_now() < end)
      if (stop) throw failure{cause::cancelled, "ferryfs is ending"};
    socklen_t length = sizeof problem;
    problem = ETIMEDOUT;
    if (ready > 0) getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &problem, &length);
  }
  if (problem == 0) return fd;
  why = std::strerror(problem);
  return {};
}

unique_fd connect_any(const target& t, const std::atomic<bool>& stop) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int failed = getaddrinfo(t.host.c_str(), std::to_string(t.port).c_str(), &hints, &list);
  if (failed != 0)
    throw failure{cause::unreachable, fmt::format("{}: {}; check the name", t.where(), gai_strerror(failed))};
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> guard{list, freeaddrinfo};
  std::string why = "no address";
  for (const addrinfo* a = list; a != nullptr; a = a->ai_next)
    if (auto fd = connect_to(*a, t.io_timeout, stop, why)) return fd;
  throw failure{cause::unreachable, fmt::format("{}: {}; check that sshd runs there and the port", t.where(), why)};
}

}  // namespace

// Shut, then freed, then closed: freeing a session can block on a live socket, and must not send on a number that has
// become another socket's.
void channel::session_deleter::operator()(LIBSSH2_SESSION* session) const noexcept {
  ::shutdown(fd, SHUT_RDWR);
  libssh2_session_free(session);
}

channel::channel(const target& t, const std::atomic<bool>& stop, bool* reached) : target_(&t), stop_(&stop) {
  socket_ = connect_any(t, stop);
  if (reached != nullptr) *reached = true;
  session_ = {libssh2_session_init(), session_deleter{socket_.get()}};
  if (!session_) throw failure{cause::local_error, "libssh2: out of memory"};
  libssh2_session_set_blocking(session_.get(), 0);
  const deadline_call wait = with_deadline();
  handshake(wait);
  log_in(session_.get(), t, wait);
}

deadline_call channel::with_deadline() const { return {session_.get(), socket_.get(), target_->io_timeout, *stop_}; }

void channel::start(const std::string& command) {
  const deadline_call wait = with_deadline();
  open_session(wait);
  command.empty() ? start_subsystem(wait) : start_command(wait, command);
}

void channel::fail(const char* doing, int code) const {
  char* text = nullptr;
  libssh2_session_last_error(session_.get(), &text, nullptr, 0);
  if (code == LIBSSH2_ERROR_TIMEOUT)
    throw failure{cause::timeout,
                  fmt::format("{}: no answer within {} s ({})", target_->where(), target_->io_timeout.count(), doing)};
  throw failure{cause::unreachable, fmt::format("{}: {}: {}", target_->where(), doing,
                                                text == nullptr || *text == '\0' ? "connection lost" : text)};
}

void channel::handshake(const deadline_call& wait) {
  const known_hosts hosts{session_.get(), *target_};
  libssh2_session_method_pref(session_.get(), LIBSSH2_METHOD_HOSTKEY, hosts.preferred_algorithms().c_str());
  for (const int method : {LIBSSH2_METHOD_CRYPT_CS, LIBSSH2_METHOD_CRYPT_SC})
    libssh2_session_method_pref(session_.get(), method, ciphers);
  for (const int method : {LIBSSH2_METHOD_MAC_CS, LIBSSH2_METHOD_MAC_SC})
    libssh2_session_method_pref(session_.get(), method, macs);
  const int result = wait([&] { return libssh2_session_handshake(session_.get(), socket_.get()); });
  // libssh2 has several codes for it, and one text; a line before the banner, as sshd's, it does not tell.
  char* text = nullptr;
  libssh2_session_last_error(session_.get(), &text, nullptr, 0);
  if (result != 0 && result != LIBSSH2_ERROR_TIMEOUT && text != nullptr &&
      std::strcmp(text, "Failed getting banner") == 0)
    throw failure{cause::unreachable,
                  fmt::format("{}: the server closed the connection before the SSH handshake; it may have too many "
                              "logins at once (MaxStartups), block this address, or not be an SSH server",
                              target_->where())};
  if (result != 0) fail("SSH handshake", result);
  hosts.check();
}

void channel::open_session(const deadline_call& wait) {
  const int result = wait([&] {
    channel_ =
        libssh2_channel_open_ex(session_.get(), "session", sizeof "session" - 1, window_size, packet_size, nullptr, 0);
    return channel_ != nullptr ? 0 : libssh2_session_last_errno(session_.get());
  });
  if (result == LIBSSH2_ERROR_CHANNEL_FAILURE)
    throw failure{cause::refused,
                  fmt::format("{}: the server accepts the login but opens no session; check MaxSessions in its "
                              "sshd_config, and whether it is out of memory or processes",
                              target_->where())};
  if (result != 0) fail("opening a channel", result);
}

void channel::start_subsystem(const deadline_call& wait) {
  const int result = wait([&] { return libssh2_channel_subsystem(channel_, "sftp"); });
  if (result == LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED)
    throw failure{
        cause::refused,
        fmt::format("{}: the server offers no SFTP; enable 'Subsystem sftp' in its sshd_config", target_->where())};
  if (result != 0) fail("starting SFTP", result);
}

void channel::start_command(const deadline_call& wait, const std::string& command) {
  const int result = wait([&] {
    return libssh2_channel_process_startup(channel_, "exec", sizeof "exec" - 1, command.data(),
                                           static_cast<unsigned>(command.size()));
  });
  if (result == LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED)
    throw no_commands{cause::refused, fmt::format("{}: the server does not run commands", target_->where())};
  if (result != 0) fail("starting a command", result);
  wait([&] { return libssh2_channel_handle_extended_data2(channel_, LIBSSH2_CHANNEL_EXTENDED_DATA_IGNORE); });
}

std::size_t channel::read(std::span<std::byte> into) {
  const ssize_t n = libssh2_channel_read(channel_, reinterpret_cast<char*>(into.data()), into.size());
  read_pending_ = n == LIBSSH2_ERROR_EAGAIN &&
                  (libssh2_session_block_directions(session_.get()) & LIBSSH2_SESSION_BLOCK_OUTBOUND) != 0;
  if (n == LIBSSH2_ERROR_EAGAIN) return 0;
  if (n < 0) fail("reading", static_cast<int>(n));
  if (n == 0 && libssh2_channel_eof(channel_) != 0)
    throw failure{cause::unreachable, fmt::format("{}: the server closed the connection", target_->where())};
  return static_cast<std::size_t>(n);
}

std::size_t channel::write(std::span<const std::byte> from) {
  const ssize_t n = libssh2_channel_write(channel_, reinterpret_cast<const char*>(from.data()), from.size());
  write_pending_ = n == LIBSSH2_ERROR_EAGAIN;
  if (write_pending_) return 0;
  if (n < 0) fail("writing", static_cast<int>(n));
  return static_cast<std::size_t>(n);
}

std::string channel::complaint() {
  char bytes[500];
  const ssize_t n = libssh2_channel_read_stderr(channel_, bytes, sizeof bytes);
  std::string text(bytes, n > 0 ? static_cast<std::size_t>(n) : 0);
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  std::erase(text, '\r');
  std::replace(text.begin(), text.end(), '\n', ' ');
  return printable(text);
}

void channel::wait(int wake, milliseconds at_most) {
  wait_for(session_.get(), socket_.get(), wake, at_most, write_pending_ || read_pending_);
}

}  // namespace ferryfs::remote::ssh
