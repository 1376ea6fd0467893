#include "tests/doubles/relay.hpp"

#include <future>

#include "tests/doubles/relay_loop.hpp"

namespace ferryfs::test {

relay::relay(const relay_options& options)
    : loop_(std::make_unique<relay_loop>(options)),
      thread_([loop = loop_.get()](const std::stop_token& stop) { loop->run(stop); }) {}

relay::~relay() {
  thread_.request_stop();
  loop_->wake();
}

std::uint16_t relay::port() const { return loop_->port(); }

void relay::ask(const std::function<void(relay_loop&)>& command) {
  std::packaged_task<void(relay_loop&)> task(command);
  loop_->post([&](relay_loop& loop) { task(loop); });
  task.get_future().get();
}

void relay::delay(std::chrono::microseconds one_way) {
  ask([=](relay_loop& loop) { loop.delay(one_way); });
}
void relay::rate(std::uint64_t bytes_per_second) {
  ask([=](relay_loop& loop) { loop.rate(bytes_per_second); });
}
void relay::stall() {
  ask([](relay_loop& loop) { loop.stall(true); });
}
void relay::go() {
  ask([](relay_loop& loop) { loop.stall(false); });
}
void relay::cut() {
  ask([](relay_loop& loop) { loop.cut(); });
}
void relay::refuse() {
  ask([](relay_loop& loop) { loop.refuse(); });
}
void relay::accept() {
  ask([](relay_loop& loop) { loop.accept(); });
}
relay_counts relay::counts() {
  relay_counts counts;
  ask([&](relay_loop& loop) { counts = loop.counts(); });
  return counts;
}

}  // namespace ferryfs::test
