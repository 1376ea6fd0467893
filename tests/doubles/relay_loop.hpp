// The relay's thread: all its state, and the loop that polls.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <stop_token>
#include <vector>

#include "tests/doubles/descriptor.hpp"
#include "tests/doubles/relay.hpp"
#include "tests/doubles/relay_connection.hpp"

namespace ferryfs::test {

// Everything but port() and post() belongs to the thread in run().
class relay_loop {
 public:
  explicit relay_loop(const relay_options& options);

  void run(const std::stop_token& stop);
  // Lets the thread in run() do `command`, between two polls.
  void post(std::function<void(relay_loop&)> command);
  void wake() const;
  std::uint16_t port() const { return options_.listen; }

  void delay(std::chrono::microseconds one_way) { up_.delay = down_.delay = one_way; }
  void rate(std::uint64_t bytes_per_second) { up_.rate = down_.rate = bytes_per_second; }
  void stall(bool on) { stalled_ = on; }
  void cut() { connections_.clear(); }
  void refuse() { listener_.reset(); }
  void accept();
  relay_counts counts() const;

 private:
  void obey();
  void take_new();
  void pump();
  void wait();

  relay_options options_;
  descriptor listener_;
  descriptor wake_;
  std::mutex mutex_;  // guards posted_ alone
  std::vector<std::function<void(relay_loop&)>> posted_;

  std::list<std::unique_ptr<relay_connection>> connections_;
  link_direction up_;
  link_direction down_;
  std::uint64_t accepted_ = 0;
  bool stalled_ = false;
  std::vector<pollfd> polled_;
};

}  // namespace ferryfs::test
