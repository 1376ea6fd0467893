#include "tests/doubles/relay_connection.hpp"

#include <sys/socket.h>

#include "tests/doubles/loopback.hpp"

namespace ferryfs::test {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t read_most = std::size_t{1} << 20;
constexpr auto run_ahead = 10ms;

}  // namespace

relay_clock::time_point link_direction::open_at() const {
  return rate == 0 ? relay_clock::time_point::min() : free_at - run_ahead;
}

std::size_t link_direction::read_size() const {
  return rate == 0 ? read_most : std::clamp<std::size_t>(rate / 200, 1448, read_most);
}

relay_clock::time_point link_direction::arrival(std::size_t count, relay_clock::time_point now) {
  if (rate == 0) return now + delay;
  const auto takes = std::chrono::duration<double>(static_cast<double>(count) / static_cast<double>(rate));
  free_at = std::max(free_at, now) + std::chrono::duration_cast<relay_clock::duration>(takes);
  return free_at + delay;
}

relay_connection::relay_connection(descriptor client, const relay_options& options, std::chrono::microseconds delay)
    : client_(std::move(client)),
      port_(options.port),
      connect_at_(relay_clock::now() + delay),
      open_at_(connect_at_ + delay),
      up_(options.in_flight),
      down_(options.in_flight) {}

relay_connection::~relay_connection() {
  if (up_.end == ending::finish && down_.end == ending::finish && up_.closed && down_.closed) return;
  for (const auto* socket : {&client_, &server_}) {
    const linger at_once{1, 0};
    if (*socket) ::setsockopt(socket->get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
}

void relay_connection::connect() {
  server_ = loopback_socket();
  // To a listener on loopback this is done, or refused, on return; with a full backlog it is under way.
  if (connect_loopback(server_, port_) != 0 && errno != EINPROGRESS) broken(down_, open_at_);
}

// The socket that `from` reads is gone; the other side learns of it after what is already on its way.
void relay_connection::broken(lane& from, relay_clock::time_point arrives) {
  from.end = ending::reset;
  from.end_at = arrives;
}

void relay_connection::read(lane& from, pollfd& events, link_direction& link, relay_clock::time_point now) {
  if (events.revents == 0 || !from.takes(now, link)) return;
  const auto count = from.line.read_from(events.fd, link.read_size());
  if (count > 0) {
    from.line.stamp(static_cast<std::size_t>(count), link.arrival(static_cast<std::size_t>(count), now));
    link.held_most = std::max<std::uint64_t>(link.held_most, from.line.held());
  } else if (count == 0) {
    from.end = ending::finish;
    from.end_at = now + link.delay;
  } else if (errno != EAGAIN && errno != EINTR && errno != ENOTCONN) {
    broken(from, now + link.delay);
  }
}

// Writes what is due of `to`; where its receiver is gone, `back` carries the news to the sender.
void relay_connection::write(lane& to, pollfd& events, lane& back, link_direction& link, relay_clock::time_point now) {
  if (events.revents != 0) to.blocked = false;
  if (to.blocked || to.closed) return;
  if (const auto due = to.line.next_due(); due && *due <= now) {
    const auto count = to.line.write_to(events.fd, now);
    if (count >= 0) {
      link.delivered += static_cast<std::uint64_t>(count);
      const auto rest = to.line.next_due();
      to.blocked = rest && *rest <= now;
    } else if (errno == EAGAIN || errno == EINTR || errno == ENOTCONN) {
      to.blocked = true;
    } else {
      to.closed = true;
      if (back.end != ending::reset) broken(back, now + link.delay);
    }
  }
  if (to.end != ending::none && to.line.empty() && to.end_at <= now) {
    to.closed = true;
    if (to.end == ending::finish) ::shutdown(events.fd, SHUT_WR);
  }
}

bool relay_connection::pump(link_direction& up, link_direction& down, relay_clock::time_point now) {
  if (!server_ && now >= connect_at_) connect();
  client_events_.fd = client_.get();
  server_events_.fd = server_.get();
  if (now >= open_at_) read(up_, client_events_, up, now);
  if (server_) {
    read(down_, server_events_, down, now);
    write(up_, server_events_, down_, up, now);
  }
  write(down_, client_events_, up_, down, now);
  client_events_.revents = server_events_.revents = 0;
  const bool reset = (up_.closed && up_.end == ending::reset) || (down_.closed && down_.end == ending::reset);
  return !reset && !(up_.closed && down_.closed);
}

relay_clock::time_point relay_connection::prepare(const link_direction& up, const link_direction& down,
                                                  relay_clock::time_point now) {
  auto wake = relay_clock::time_point::max();
  const auto wake_at = [&](relay_clock::time_point time) { wake = std::min(wake, time); };
  const auto wait_for = [&](pollfd& events, const lane& from, const lane& to, const link_direction& link) {
    short wanted = 0;
    if (from.takes(now, link)) wanted |= POLLIN;
    if (to.blocked && !to.closed) wanted |= POLLOUT;
    // A socket of which nothing is wanted is left out: poll reports its end even unasked, again and again.
    if (wanted == 0) events.fd = -1;
    events.events = wanted;
    if (from.end == ending::none && !from.line.full() && link.open_at() > now) wake_at(link.open_at());
    if (to.blocked || to.closed) return;
    if (const auto due = to.line.next_due()) {
      wake_at(*due);
    } else if (to.end != ending::none) {
      wake_at(to.end_at);
    }
  };
  client_events_.fd = client_.get();
  server_events_.fd = server_.get();
  wait_for(client_events_, up_, down_, up);
  if (now < open_at_) {
    wake_at(open_at_);
    client_events_.fd = -1;
  }
  if (server_) {
    wait_for(server_events_, down_, up_, down);
  } else {
    wake_at(connect_at_);
  }
  return wake;
}

}  // namespace ferryfs::test
