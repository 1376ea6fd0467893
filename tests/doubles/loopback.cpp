#include "tests/doubles/loopback.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace ferryfs::test {
namespace {

void set(const descriptor& socket, int level, int option, int value) {
  checked(::setsockopt(socket.get(), level, option, &value, sizeof value), "setsockopt");
}

sockaddr_in address(std::uint16_t port) {
  sockaddr_in loopback{};
  loopback.sin_family = AF_INET;
  loopback.sin_port = htons(port);
  loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return loopback;
}

}  // namespace

descriptor loopback_socket() {
  descriptor socket(checked(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket"));
  // Before connect or listen: the window's scale is fixed then, and accepted sockets inherit the sizes.
  set(socket, SOL_SOCKET, SO_SNDBUF, 4 << 20);
  set(socket, SOL_SOCKET, SO_RCVBUF, 4 << 20);
  set(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  return socket;
}

int connect_loopback(const descriptor& socket, std::uint16_t port) {
  const auto to = address(port);
  return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to);
}

descriptor listen_loopback(std::uint16_t port) {
  auto socket = loopback_socket();
  set(socket, SOL_SOCKET, SO_REUSEADDR, 1);
  const auto at = address(port);
  checked(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at), "bind to " + std::to_string(port));
  checked(::listen(socket.get(), SOMAXCONN), "listen");
  return socket;
}

descriptor accept_loopback(const descriptor& listener) {
  descriptor socket(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (socket) set(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  return socket;
}

descriptor connected_loopback(std::uint16_t port) {
  auto socket = loopback_socket();
  ::fcntl(socket.get(), F_SETFL, 0);
  checked(connect_loopback(socket, port), "connect to port " + std::to_string(port));
  return socket;
}

std::uint16_t port_of(const descriptor& socket) {
  sockaddr_in at{};
  socklen_t size = sizeof at;
  checked(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&at), &size), "getsockname");
  return ntohs(at.sin_port);
}

std::uint16_t free_port() {
  const descriptor socket(checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
  const auto any = address(0);
  checked(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any), "bind");
  return port_of(socket);
}

}  // namespace ferryfs::test
