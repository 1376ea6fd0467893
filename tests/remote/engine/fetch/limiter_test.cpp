#include "remote/engine/fetch/limiter.hpp"

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "tests/catch.hpp"

namespace ferryfs::test {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

// Takes as much as it gets for this long; returns bytes a second.
double drain(remote::limiter& l, std::uint64_t step, std::chrono::milliseconds time) {
  const auto begun = clock::now();
  double taken = 0;
  while (clock::now() - begun < time)
    if (l.take(step)) taken += static_cast<double>(step);
  return taken / std::chrono::duration<double>(clock::now() - begun).count();
}

TEST_CASE("over time no more is granted than the limit, and not much less") {
  remote::limiter l;
  l.set(10'000'000);
  const double rate = drain(l, 50'000, 200ms);
  CHECK(rate < 10'000'000 * 1.1);
  CHECK(rate > 10'000'000 * 0.6);
}

TEST_CASE("a request that is larger than the limit is granted, and paid for afterwards") {
  remote::limiter l;
  l.set(1'000'000);
  const auto begun = clock::now();
  while (!l.take(100'000)) std::this_thread::yield();
  while (!l.take(1)) std::this_thread::yield();
  CHECK(clock::now() - begun >= 90ms);
}

TEST_CASE("an idle time saves up no flood") {
  remote::limiter l;
  l.set(1'000'000);
  const auto begun = clock::now();
  while (clock::now() - begun < 250ms) std::this_thread::yield();
  std::uint64_t at_once = 0;
  const auto flood = clock::now();
  while (l.take(1000)) at_once += 1000;
  const auto elapsed = std::chrono::duration<double>(clock::now() - flood).count();
  CHECK(at_once >= 90'000);
  CHECK(static_cast<double>(at_once) <= 102'000 + elapsed * 1'000'000);
}

TEST_CASE("without a limit everything is granted, and a limit holds from the moment it is set") {
  remote::limiter l;
  for (int i = 0; i < 1000; ++i) REQUIRE(l.take(1U << 30));
  l.set(1000);
  CHECK(l.rate() == 1000);
  while (l.take(1'000'000)) {
  }
  CHECK_FALSE(l.take(1));
  l.set(0);
  CHECK(l.take(1U << 30));
}

TEST_CASE("a limit that is raised does not wait for what was granted under the lower one") {
  remote::limiter l;
  l.set(1000);
  while (!l.take(1'000'000)) std::this_thread::yield();
  REQUIRE_FALSE(l.take(1));
  l.set(1'000'000'000);
  const auto begun = clock::now();
  while (!l.take(1)) std::this_thread::yield();
  CHECK(clock::now() - begun < 5s);
}

TEST_CASE("while the background is held nothing is granted, with a limit or without") {
  remote::limiter l;
  l.hold(true);
  CHECK_FALSE(l.take(1));
  l.hold(false);
  CHECK(l.take(1));
}

TEST_CASE("many threads share one limit") {
  const auto begun = clock::now();
  remote::limiter l;
  l.set(10'000'000);
  std::atomic<std::uint64_t> taken = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i)
    threads.emplace_back([&] {
      while (clock::now() - begun < 100ms)
        if (l.take(10'000)) taken += 10'000;
    });
  for (auto& t : threads) t.join();
  const double most = 10'000'000 * std::chrono::duration<double>(clock::now() - begun).count() + 10'000;
  CHECK(static_cast<double>(taken) <= most);
  CHECK(taken > 0);
}

}  // namespace
}  // namespace ferryfs::test
