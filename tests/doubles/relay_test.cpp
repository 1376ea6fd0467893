#include "tests/doubles/relay.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <future>
#include <random>

#include "tests/catch.hpp"
#include "tests/doubles/loopback.hpp"
#include "tests/doubles/process.hpp"
#include "tests/doubles/wait_until.hpp"

using namespace ferryfs::test;
using namespace std::chrono_literals;

namespace {

using test_clock = std::chrono::steady_clock;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif

// A server, a relay to it, and one connection through both.
struct linked {
  explicit linked(relay_options options = {}) : listener(listen_loopback(0)), link(with_port(options)) {
    client = connected_loopback(link.port());
    server = next_server();
  }
  relay_options with_port(relay_options options) const {
    options.port = port_of(listener);
    return options;
  }
  descriptor next_server() const {
    descriptor accepted;
    REQUIRE(wait_until([&] {
      accepted = accept_loopback(listener);
      return static_cast<bool>(accepted);
    }));
    return accepted;
  }

  descriptor listener;
  relay link;
  descriptor client;
  descriptor server;
};

relay_options delayed(std::chrono::milliseconds delay) {
  relay_options options;
  options.delay = delay;
  return options;
}

// Waits for bytes, the end or a reset as long as `within`; what recv says, -1 with EAGAIN where nothing came.
std::ptrdiff_t receive(const descriptor& socket, char* into, std::size_t most, std::chrono::milliseconds within = 10s) {
  pollfd watched{socket.get(), POLLIN, 0};
  ::poll(&watched, 1, static_cast<int>(within.count()));
  return ::recv(socket.get(), into, most, MSG_DONTWAIT);
}

std::string received(const descriptor& socket, std::chrono::milliseconds within = 10s) {
  std::array<char, 1000> buffer;
  const auto count = receive(socket, buffer.data(), buffer.size(), within);
  return {buffer.data(), static_cast<std::size_t>(std::max<std::ptrdiff_t>(count, 0))};
}

void say(const descriptor& socket, std::string_view text) {
  REQUIRE(::send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
}

bool was_reset(const descriptor& socket) {
  char byte = 0;
  return receive(socket, &byte, 1) < 0 && errno == ECONNRESET;
}

// Sends as much as is taken without pause for so long; returns how much.
std::size_t push(const descriptor& socket, std::chrono::milliseconds quiet) {
  const std::string block(65536, 'x');
  std::size_t sent = 0;
  for (;;) {
    pollfd watched{socket.get(), POLLOUT, 0};
    if (::poll(&watched, 1, static_cast<int>(quiet.count())) <= 0) return sent;
    const auto count = ::send(socket.get(), block.data(), block.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count > 0) sent += static_cast<std::size_t>(count);
  }
}

// Sends so many random bytes, reads them at the other end, and says whether they are the same.
bool passes_intact(const descriptor& from, const descriptor& to, std::size_t total) {
  constexpr std::size_t block = 500'009;  // no divisor of any buffer
  std::string pattern(block, '\0');
  std::mt19937 random(7);
  std::generate(pattern.begin(), pattern.end(), [&] { return static_cast<char>(random()); });
  auto sender = std::async(std::launch::async, [&] {
    for (std::size_t sent = 0; sent < total;) {
      pollfd watched{from.get(), POLLOUT, 0};
      ::poll(&watched, 1, 1000);
      const auto at = sent % block;
      const auto count =
          ::send(from.get(), &pattern[at], std::min(block - at, total - sent), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (count > 0) sent += static_cast<std::size_t>(count);
    }
  });
  std::string buffer(std::size_t{1} << 20, '\0');
  for (std::size_t got = 0; got < total;) {
    const auto count = receive(to, buffer.data(), buffer.size());
    if (count <= 0) return false;
    for (std::size_t seen = 0; seen < static_cast<std::size_t>(count);) {
      const auto at = (got + seen) % block;
      const auto length = std::min(block - at, static_cast<std::size_t>(count) - seen);
      if (buffer.compare(seen, length, pattern, at, length) != 0) return false;
      seen += length;
    }
    got += static_cast<std::size_t>(count);
  }
  sender.get();
  return true;
}

test_clock::duration round_trip(const linked& both) {
  const auto start = test_clock::now();
  say(both.client, "ping");
  CHECK(received(both.server) == "ping");
  say(both.server, "pong");
  CHECK(received(both.client) == "pong");
  return test_clock::now() - start;
}

}  // namespace

TEST_CASE("the relay adds its delay each way") {
  linked both(delayed(25ms));
  round_trip(both);
  // Never early; and of many tries the machine is idle enough in one to be hardly late.
  constexpr auto late = sanitized ? 60ms : 51ms;
  auto fastest = test_clock::duration::max();
  for (int tries = 0; tries < 60 && fastest >= late; ++tries) {
    const auto took = round_trip(both);
    CHECK(took >= 50ms);
    fastest = std::min(fastest, took);
  }
  CHECK(fastest < late);

  both.link.delay(0ms);
  CHECK(wait_until([&] { return round_trip(both) < 10ms; }));
}

TEST_CASE("a connection takes its round trip too") {
  const auto start = test_clock::now();
  const linked both(delayed(40ms));
  CHECK(test_clock::now() - start >= 40ms);  // the server hears of it
  say(both.client, "hello");
  CHECK(received(both.server) == "hello");
  CHECK(test_clock::now() - start >= 120ms);
}

TEST_CASE("the relay passes bytes intact, both ways at once") {
  relay_options options = delayed(1ms);
  options.in_flight = 3'000'017;
  const linked both(options);
  auto up = std::async(std::launch::async, [&] { return passes_intact(both.client, both.server, 200'000'000); });
  CHECK(passes_intact(both.server, both.client, 150'000'000));
  CHECK(up.get());
}

TEST_CASE("the relay holds no more than is allowed in flight") {
  relay_options options = delayed(60s);
  options.in_flight = 1'000'000;
  linked both([&] {
    auto first = options;
    first.delay = 0ms;
    return first;
  }());
  both.link.delay(60s);
  push(both.client, 200ms);
  const auto counts = both.link.counts();
  CHECK(counts.held_most == 1'000'000);
  CHECK(counts.bytes_up == 0);
}

TEST_CASE("a rate holds for all connections together") {
  relay_options options = delayed(1ms);
  options.rate = 10'000'000;
  const linked both(options);
  const auto other_client = connected_loopback(both.link.port());
  const auto other_server = both.next_server();
  const auto start = test_clock::now();
  auto other = std::async(std::launch::async, [&] { return passes_intact(other_client, other_server, 2'000'000); });
  CHECK(passes_intact(both.client, both.server, 2'000'000));
  CHECK(other.get());
  const auto took = test_clock::now() - start;
  CHECK(took >= 380ms);
  CHECK(took < 2s);
}

TEST_CASE("in a stall nothing passes and nothing closes, and then all goes on") {
  linked both(delayed(1ms));
  both.link.stall();
  say(both.client, "one");
  say(both.server, "two");
  const auto late = connected_loopback(both.link.port());
  CHECK(received(both.server, 100ms).empty());
  CHECK(errno == EAGAIN);
  CHECK(received(both.client, 10ms).empty());
  CHECK(errno == EAGAIN);
  both.link.go();
  CHECK(received(both.server) == "one");
  CHECK(received(both.client) == "two");
  say(late, "three");
  CHECK(received(both.next_server()) == "three");
  CHECK(both.link.counts().open == 2);
}

TEST_CASE("a cut resets both sides, also in a stall") {
  linked both(delayed(1ms));
  if (GENERATE(false, true)) both.link.stall();
  both.link.cut();
  CHECK(was_reset(both.client));
  CHECK(was_reset(both.server));
  CHECK(both.link.counts().open == 0);
}

TEST_CASE("a refusal meets new connections alone, and the port stays") {
  linked both(delayed(1ms));
  both.link.refuse();
  CHECK_THROWS_WITH(connected_loopback(both.link.port()), contains_text("refused"));
  round_trip(both);
  both.link.accept();
  const auto client = connected_loopback(both.link.port());
  say(client, "hello");
  CHECK(received(both.next_server()) == "hello");
}

TEST_CASE("an end arrives after the bytes before it, and the other way stays open") {
  linked both(delayed(20ms));
  say(both.client, "last words");
  ::shutdown(both.client.get(), SHUT_WR);
  CHECK(received(both.server) == "last words");
  char byte = 0;
  CHECK(receive(both.server, &byte, 1) == 0);
  say(both.server, "answer");
  both.server.reset();
  CHECK(received(both.client) == "answer");
  CHECK(receive(both.client, &byte, 1) == 0);
  CHECK(wait_until([&] { return both.link.counts().open == 0; }));
}

TEST_CASE("a reset arrives as a reset, after the bytes before it") {
  linked both(delayed(20ms));
  say(both.server, "last words");
  REQUIRE(received(both.client) == "last words");
  const linger at_once{1, 0};
  ::setsockopt(both.server.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  both.server.reset();
  CHECK(was_reset(both.client));
  CHECK(wait_until([&] { return both.link.counts().open == 0; }));
}

TEST_CASE("a server that is not there is a reset") {
  relay_options options = delayed(1ms);
  options.port = free_port();
  relay link(options);
  CHECK(was_reset(connected_loopback(link.port())));
}

TEST_CASE("the relay costs next to nothing while nothing happens") {
  linked both(delayed(25ms));
  round_trip(both);
  both.link.stall();
  both.client.reset();  // what poll would report again and again
  const auto before = std::clock();
  CHECK(received(both.server, 300ms).empty());
  CHECK(std::clock() - before < CLOCKS_PER_SEC / 10);
}

TEST_CASE("a long link carries 400 MB a second", "[slow]") {
  relay_options options = delayed(25ms);
  options.in_flight = 32'000'000;
  const linked both(options);
  const auto start = test_clock::now();
  REQUIRE(passes_intact(both.client, both.server, 2'000'000'000));
  const std::chrono::duration<double> took = test_clock::now() - start;
  INFO("took " << took.count() << " s");
  CHECK(2000 / took.count() > (sanitized ? 40 : 400));
}

TEST_CASE("ferryfs-relay is the relay for scripts") {
  const auto listener = listen_loopback(0);
  process_options options;
  options.pipe_stdin = true;
  process command({FERRYFS_RELAY, "--to", "127.0.0.1:" + std::to_string(port_of(listener)), "--delay-ms", "0.5",
                   "--in-flight", "6M"},
                  options);
  const auto answers = [&](const std::string& line) {
    return wait_until([&] { return command.out().ends_with(line + '\n'); });
  };
  REQUIRE(answers(""));
  const auto port = static_cast<std::uint16_t>(std::stoi(command.out()));
  const auto client = connected_loopback(port);
  say(client, "hello");
  descriptor server;
  REQUIRE(wait_until([&] { return static_cast<bool>(server = accept_loopback(listener)); }));
  CHECK(received(server) == "hello");
  for (const std::string line : {"delay 3", "rate 1M", "rate 0", "stall", "go", "refuse", "accept"}) {
    command.write(line + '\n');
    CHECK(answers("ok " + line));
  }
  command.write("counts\n");
  CHECK(answers("accepted 1 open 1 up 5 down 0 held 5"));
  command.write("dance\n");
  CHECK(answers("error unknown command dance"));
  command.write("cut\n");
  CHECK(was_reset(client));
  command.write("quit\n");
  CHECK(command.wait().code == 0);
  CHECK(run({FERRYFS_RELAY, "--to", "example.org:22"}).code == 2);
}
