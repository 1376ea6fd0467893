// A long link between this machine and itself: there is no netem here, so TCP is relayed in user space.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>

namespace ferryfs::test {

struct relay_options {
  std::uint16_t listen = 0;  // 0: any free port
  std::uint16_t port = 0;    // where to; both ends on 127.0.0.1
  // One way: the round trip is twice that.
  std::chrono::microseconds delay = std::chrono::milliseconds(25);
  // Bytes a connection and direction may have on their way. As a long link's TCP would, the relay stops reading from
  // the sender at that; so `in_flight / delay` bytes a second is the most that a connection carries.
  std::uint64_t in_flight = 6'000'000;
  std::uint64_t rate = 0;  // bytes a second and direction, all connections together; 0: no limit
};

struct relay_counts {
  std::uint64_t accepted = 0;    // connections ever
  std::uint64_t open = 0;        // connections now
  std::uint64_t bytes_up = 0;    // delivered to the server
  std::uint64_t bytes_down = 0;  // delivered to the client
  std::uint64_t held_most = 0;   // the most that one direction of one connection ever held
};

class relay_loop;

// Runs in a thread of its own until destroyed, which resets all connections. The commands may come from any thread;
// each is in force when it returns. A connection takes its round trip too: the server hears of it after `delay`, and
// what the client says is taken as said only when the answer would have reached it.
class relay {
 public:
  explicit relay(const relay_options& options);
  ~relay();

  // The port to connect to; the same through refuse() and accept().
  std::uint16_t port() const;

  void delay(std::chrono::microseconds one_way);  // for what is read from now on
  void rate(std::uint64_t bytes_per_second);
  void stall();   // nothing passes, nothing closes; new connections are held
  void go();      // ends the stall
  void cut();     // resets every connection (RST)
  void refuse();  // new connections are refused; those that are open go on
  void accept();  // ends the refusal
  relay_counts counts();

 private:
  void ask(const std::function<void(relay_loop&)>& command);

  std::unique_ptr<relay_loop> loop_;
  std::jthread thread_;
};

}  // namespace ferryfs::test
