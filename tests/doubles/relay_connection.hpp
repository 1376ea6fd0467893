// One connection through the relay: two sockets and a delay line each way.
#pragma once

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

#include "tests/doubles/delay_line.hpp"
#include "tests/doubles/descriptor.hpp"
#include "tests/doubles/relay.hpp"

namespace ferryfs::test {

using relay_clock = delay_line::clock;

// One direction of the whole link. With a rate, bytes leave one after another, and a sender must not run more than a
// few milliseconds ahead of it.
struct link_direction {
  std::chrono::microseconds delay{};
  std::uint64_t rate = 0;
  std::uint64_t delivered = 0;
  std::uint64_t held_most = 0;
  relay_clock::time_point free_at{};

  // From when on bytes may be read.
  relay_clock::time_point open_at() const;
  std::size_t read_size() const;
  // When `count` bytes that are read now reach the other end.
  relay_clock::time_point arrival(std::size_t count, relay_clock::time_point now);
};

class relay_connection {
 public:
  relay_connection(descriptor client, const relay_options& options, std::chrono::microseconds delay);
  // Resets the connection, unless it has come to its own end.
  ~relay_connection();
  relay_connection(const relay_connection&) = delete;
  relay_connection& operator=(const relay_connection&) = delete;

  // Moves whatever can be moved, as far as `events` say that the sockets are ready; false when the connection is over.
  bool pump(link_direction& up, link_direction& down, relay_clock::time_point now);

  // The sockets to poll: the client's, then the server's. The events are kept here between polls.
  pollfd& client_events() { return client_events_; }
  pollfd& server_events() { return server_events_; }
  // Says what to wait for; returns when to come back even without events.
  relay_clock::time_point prepare(const link_direction& up, const link_direction& down, relay_clock::time_point now);

 private:
  enum class ending { none, finish, reset };
  struct lane {
    explicit lane(std::size_t capacity) : line(capacity) {}
    delay_line line;
    ending end = ending::none;       // what the sender did after its last byte
    relay_clock::time_point end_at;  // when that arrives
    bool blocked = false;            // the receiver takes no more for now
    bool closed = false;             // the end has arrived

    bool takes(relay_clock::time_point now, const link_direction& link) const {
      return end == ending::none && !line.full() && link.open_at() <= now;
    }
  };

  void connect();
  void read(lane& from, pollfd& events, link_direction& link, relay_clock::time_point now);
  void write(lane& to, pollfd& events, lane& back, link_direction& link, relay_clock::time_point now);
  static void broken(lane& from, relay_clock::time_point arrives);

  descriptor client_;
  descriptor server_;
  std::uint16_t port_;
  relay_clock::time_point connect_at_;
  relay_clock::time_point open_at_;
  lane up_;
  lane down_;
  pollfd client_events_{};
  pollfd server_events_{};
};

}  // namespace ferryfs::test
