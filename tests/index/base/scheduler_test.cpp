// Threads, locks, waits and the clock under a scheduler of a test's own: in an order that a seed gives, without
// waiting.
#include <algorithm>
#include <deque>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>

#include "index/base/mutex.hpp"
#include "index/base/promise.hpp"
#include "index/base/thread.hpp"
#include "index/base/wait_for_stop.hpp"
#include "tests/catch.hpp"
#include "tests/doubles/fiber_scheduler.hpp"

namespace ferryfs::test {
namespace {

using namespace std::chrono_literals;

// The stacks of a fiber are not those that a sanitizer knows.
void refuse_sanitizers() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  skip("built with a sanitizer, which knows no fibers");
#endif
}

// Two that put, two that take; returns in which order it came.
std::string hand_over(std::uint64_t seed, std::uint64_t* trace = nullptr) {
  fiber_scheduler machine{seed};
  std::string order;
  machine.run([&] {
    mutex m{lock_level::leaf};
    condition filled;
    std::deque<char> queue;
    const auto put = [&](char what) {
      return [&, what](const std::stop_token&) {
        for (int i = 0; i < 3; ++i) {
          const lock held{m};
          queue.push_back(what);
          filled.notify_one();
        }
      };
    };
    const auto take = [&](const std::stop_token& stop) {
      lock held{m};
      while (filled.wait(held, stop, [&] { return !queue.empty(); })) {
        order += queue.front();
        queue.pop_front();
      }
    };
    thread one{"one", take}, other{"other", take};
    { thread a{"a", put('a')}, b{"b", put('b')}; }
    while (true) {
      const lock held{m};
      if (queue.empty()) return;
    }
  });
  if (trace != nullptr) *trace = machine.trace();
  return order;
}

}  // namespace

TEST_CASE("the same seed gives the same order, others give others, and each order is whole") {
  refuse_sanitizers();
  std::set<std::string> orders;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    std::uint64_t first = 0, again = 0;
    const auto order = hand_over(seed, &first);
    REQUIRE(hand_over(seed, &again) == order);
    REQUIRE(first == again);
    REQUIRE(std::count(order.begin(), order.end(), 'a') == 3);
    REQUIRE(std::count(order.begin(), order.end(), 'b') == 3);
    orders.insert(order);
  }
  CHECK(orders.size() > 10);
}

TEST_CASE("an hour's wait takes no time, and each deadline comes in its turn") {
  refuse_sanitizers();
  fiber_scheduler machine{1};
  std::string order;
  machine.run([&] {
    const auto begun = steady_now();
    thread late{"late", [&](const std::stop_token& stop) {
                  wait_for_stop(stop, 2h);
                  order += 'l';
                }};
    thread early{"early", [&](const std::stop_token&) {
                   sleep_for(1h);
                   order += 'e';
                 }};
    early.join();
    CHECK(steady_now() - begun >= 1h);
    CHECK(steady_now() - begun < 61min);
    late.join();
    CHECK(steady_now() - begun >= 2h);
  });
  CHECK(order == "el");
}

TEST_CASE("a thread that is asked to stop wakes up at once") {
  refuse_sanitizers();
  fiber_scheduler machine{7};
  machine.run([] {
    const auto begun = steady_now();
    {
      thread sleeper{"sleeper", [](const std::stop_token& stop) { CHECK(wait_for_stop(stop, 24h)); }};
    }
    CHECK(steady_now() - begun < 1s);
  });
}

TEST_CASE("those that wait for each other are told by name") {
  refuse_sanitizers();
  fiber_scheduler machine{3};
  const auto embrace = [] {
    mutex first{lock_level::leaf}, second{lock_level::leaf};
    const auto take = [](mutex& a, mutex& b) {
      return [&a, &b](const std::stop_token&) {
        const lock one{a};
        sleep_for(1ms);
        const lock other{b};
      };
    };
    thread x{"x", take(first, second)}, y{"y", take(second, first)};
  };
  CHECK_THROWS_WITH(machine.run(embrace), contains_text("all wait for ever:"));
}

TEST_CASE("what a thread throws in a catch of its own, while another is in one, stays its own") {
  refuse_sanitizers();
  fiber_scheduler machine{5};
  int caught = 0;
  const auto twice = [&](const std::stop_token&) {
    for (int i = 0; i < 20; ++i) {
      try {
        throw std::runtime_error("mine");
      } catch (const std::exception&) {
        sleep_for(1us);
        try {
          throw;
        } catch (const std::runtime_error&) {
          ++caught;
        }
      }
    }
  };
  machine.run([&] { thread a{"a", twice}, b{"b", twice}, c{"c", twice}; });
  CHECK(caught == 60);
}

TEST_CASE("an answer that is promised wakes who waits for it, by a value or by what is thrown") {
  refuse_sanitizers();
  const auto ask = [] {
    const auto one = std::make_shared<promise<int>>(), other = std::make_shared<promise<int>>();
    thread answers{"answers", [one, other](const std::stop_token&) {
                     sleep_for(1ms);
                     one->set_value(42);
                     other->set_exception(std::make_exception_ptr(std::runtime_error("no")));
                   }};
    if (scheduler::current() != nullptr) CHECK_FALSE(one->wait_for(100us));
    CHECK(one->get() == 42);
    CHECK_THROWS_WITH(other->get(), "no");
  };
  fiber_scheduler machine{11};
  machine.run(ask);
  ask();  // and by the machine's own threads
}

}  // namespace ferryfs::test
