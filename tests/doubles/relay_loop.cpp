#include "tests/doubles/relay_loop.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>

#include "tests/doubles/loopback.hpp"

namespace ferryfs::test {

relay_loop::relay_loop(const relay_options& options)
    : options_(options),
      listener_(listen_loopback(options.listen)),
      wake_(checked(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")) {
  options_.listen = port_of(listener_);
  delay(options.delay);
  rate(options.rate);
}

void relay_loop::run(const std::stop_token& stop) {
  ::prctl(PR_SET_TIMERSLACK, 1UL);  // the default lets every wake-up be 50 us late
  while (!stop.stop_requested()) {
    obey();
    take_new();
    pump();
    wait();
  }
  connections_.clear();
}

void relay_loop::post(std::function<void(relay_loop&)> command) {
  {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(command));
  }
  wake();
}

void relay_loop::wake() const { ::eventfd_write(wake_.get(), 1); }

void relay_loop::accept() {
  if (!listener_) listener_ = listen_loopback(options_.listen);
}

relay_counts relay_loop::counts() const {
  return {accepted_, connections_.size(), up_.delivered, down_.delivered, std::max(up_.held_most, down_.held_most)};
}

void relay_loop::obey() {
  eventfd_t ignored = 0;
  ::eventfd_read(wake_.get(), &ignored);
  std::vector<std::function<void(relay_loop&)>> commands;
  {
    const std::lock_guard lock(mutex_);
    commands.swap(posted_);
  }
  for (const auto& command : commands) command(*this);
}

void relay_loop::take_new() {
  if (!listener_) return;
  while (auto client = accept_loopback(listener_)) {
    connections_.push_back(std::make_unique<relay_connection>(std::move(client), options_, up_.delay));
    ++accepted_;
  }
}

void relay_loop::pump() {
  if (stalled_) return;
  const auto now = relay_clock::now();
  std::erase_if(connections_, [&](const auto& connection) { return !connection->pump(up_, down_, now); });
  // Each in its turn is the first to be let onto a link with a rate.
  if (connections_.size() > 1) connections_.splice(connections_.end(), connections_, connections_.begin());
}

void relay_loop::wait() {
  polled_.assign({{wake_.get(), POLLIN, 0}, {listener_ ? listener_.get() : -1, POLLIN, 0}});
  auto wake_at = relay_clock::time_point::max();
  const auto now = relay_clock::now();
  if (!stalled_) {
    for (const auto& connection : connections_) {
      wake_at = std::min(wake_at, connection->prepare(up_, down_, now));
      polled_.push_back(connection->client_events());
      polled_.push_back(connection->server_events());
    }
  }
  timespec timeout{};
  const bool for_ever = wake_at == relay_clock::time_point::max();
  if (!for_ever && wake_at > now) {
    const auto left = std::chrono::nanoseconds(wake_at - now);
    timeout = {std::chrono::floor<std::chrono::seconds>(left).count(), (left % std::chrono::seconds(1)).count()};
  }
  ::ppoll(polled_.data(), polled_.size(), for_ever ? nullptr : &timeout, nullptr);
  if (stalled_) return;
  auto events = polled_.begin() + 2;
  for (const auto& connection : connections_) {
    connection->client_events() = *events++;
    connection->server_events() = *events++;
  }
}

}  // namespace ferryfs::test
