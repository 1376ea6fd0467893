#include "remote/source/server/reachability.hpp"

#include <sys/stat.h>

#include <atomic>
#include <thread>
#include <vector>

#include "remote/source/sftp/task.hpp"
#include "tests/catch.hpp"

namespace ferryfs::test {
namespace {

using namespace std::chrono_literals;
using remote::archive;
using remote::cause;
using remote::failure;
using remote::sftp::peers;
using remote::sftp::queue;
using remote::sftp::reachability;

struct reachability_fixture {
  queue tasks;
  peers connections;
  std::vector<archive::health> events;  // read after `finish`; before `state`, whose thread adds to it to the end
  reachability state{tasks, connections};

  reachability_fixture() {
    state.set_listener([this](const archive::health& h) { events.push_back(h); });
  }
  bool put() {
    return tasks.put(std::make_shared<remote::sftp::stat_task>("a.jpg", [](const auto&, const auto&) {}),
                     queue::priority_class::look);
  }
  void connect() {
    state.record_login();
    state.record_connection();
  }
};

TEST_CASE("a source is unreachable while no connection stands, and its queue is closed") {
  reachability_fixture f;
  CHECK_FALSE(f.state.has_tried());
  f.state.record_failed_attempt({cause::unreachable, "no route"}, false);
  CHECK(f.state.has_tried());
  CHECK_FALSE(f.state.state().reachable);
  CHECK(f.state.state().why == "no route");
  CHECK_FALSE(f.put());
  f.connect();
  CHECK(f.state.state().reachable);
  CHECK(f.put());
  f.state.finish_events();
  REQUIRE(f.events.size() == 2);
  CHECK_FALSE(f.events[0].reachable);
  CHECK(f.events[1].reachable);
}

TEST_CASE("while a connection stands or exchanges greetings, another's failed attempt says nothing of the source") {
  reachability_fixture f;
  SECTION("it stands") { f.connect(); }
  SECTION("it exchanges greetings") { f.state.record_login(); }
  f.state.record_failed_attempt({cause::refused, "too many"}, false);
  CHECK(f.state.state().reachable);
  CHECK(f.state.last_failure().text == "too many");
  CHECK(f.put());
}

TEST_CASE("a lost connection leaves its source reachable, a silent one does not") {
  reachability_fixture f;
  f.connect();
  const bool is_silent = GENERATE(false, true);
  f.state.record_loss({is_silent ? cause::timeout : cause::unreachable, "gone"});
  CHECK(f.state.state().reachable == !is_silent);
  CHECK(f.put() == !is_silent);
}

TEST_CASE("tasks that are queued when the source goes away end with the reason") {
  reachability_fixture f;
  std::optional<failure> why;
  f.tasks.put(std::make_shared<remote::sftp::stat_task>("a.jpg", [&](const auto& w, const auto&) { why = w; }),
              queue::priority_class::look);
  f.state.record_failed_attempt({cause::timeout, "silence"}, true);
  f.state.finish_events();
  REQUIRE(why);
  CHECK(why->text == "silence");
}

TEST_CASE("one thread at a time logs in, and none waits for its turn once all is to stop") {
  reachability_fixture f;
  REQUIRE(f.state.begin_login());
  std::atomic<bool> has_turn = false;
  {
    const std::jthread other{[&] { has_turn = f.state.begin_login(); }};
    std::this_thread::sleep_for(20ms);
    CHECK_FALSE(has_turn);
    f.state.end_login();
  }
  CHECK(has_turn);
  std::atomic<bool> third = true;
  {
    const std::jthread waiting{[&] { third = f.state.begin_login(); }};
    f.tasks.stop();
    f.state.stop();
  }
  CHECK_FALSE(third);
}

TEST_CASE("an event that is posted after the last one runs at once") {
  reachability_fixture f;
  f.state.finish_events();
  std::thread::id on;
  f.state.post([&] { on = std::this_thread::get_id(); });
  CHECK(on == std::this_thread::get_id());
}

}  // namespace
}  // namespace ferryfs::test
