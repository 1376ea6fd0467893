// What is posted runs once, in order, now or when it is due.
#include "index/base/serial_executor.hpp"

#include <atomic>
#include <stdexcept>
#include <string>

#include "index/base/clock.hpp"
#include "tests/catch.hpp"
#include "tests/doubles/wait_until.hpp"

namespace ferryfs::test {

using namespace std::chrono_literals;
using remote::serial_executor;

TEST_CASE("all that is posted has run when an executor ends, in order, also behind what throws") {
  std::string order;
  {
    serial_executor one{"one"};
    for (const char c : {'a', 'b', 'c', 'd'})
      one.post([&order, c] {
        order += c;
        if (c == 'b') throw std::runtime_error("of no consequence");
      });
  }
  CHECK(order == "abcd");
}

TEST_CASE("what is posted for later runs when it is due, and keeps nothing else waiting") {
  serial_executor one{"one"};
  std::atomic<bool> now = false, late = false, early = false;
  const auto begun = steady_now();
  one.post_at(begun + 24h, [&] { late = true; });
  one.post_at(begun + 50ms, [&] { early = true; });
  one.post([&] { now = true; });
  CHECK(wait_until([&] { return now.load(); }));
  CHECK(wait_until([&] { return early.load(); }));
  CHECK(steady_now() - begun >= 50ms);
  CHECK_FALSE(late);
}

TEST_CASE("once an executor stops waiting, what was posted for later runs at once, and what comes then") {
  serial_executor one{"one"};
  std::string order;
  one.post_at(steady_now() + 24h, [&] { order += 'a'; });
  one.stop_waiting();
  one.drain();
  CHECK(order == "a");
  one.post_at(steady_now() + 24h, [&] { order += 'b'; });
  one.drain();
  CHECK(order == "ab");
}

TEST_CASE("what is not due when an executor ends is dropped, also where it posts itself again and again") {
  std::atomic<int> runs = 0;
  {
    serial_executor one{"one"};
    std::function<void()> again = [&] {
      ++runs;
      one.post_at(steady_now() + 1h, again);
    };
    one.post(again);
    one.drain();
  }
  CHECK(runs == 1);
}

TEST_CASE("an executor that nobody posted to has no thread to wait for") {
  serial_executor one{"one"};
  one.stop_waiting();
  one.drain();
}

}  // namespace ferryfs::test
