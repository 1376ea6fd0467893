#include "remote/source/server/connection_pool.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <random>

#include "index/base/clock.hpp"
#include "index/base/exception_barrier.hpp"

namespace ferryfs::remote::sftp {
namespace {

using namespace std::chrono_literals;

// The right to log in, for as long as it lives, or until `end`.
class login_turn {
 public:
  explicit login_turn(reachability& state) : state_(state) { begin(); }
  ~login_turn() { end(); }
  login_turn(const login_turn&) = delete;
  login_turn& operator=(const login_turn&) = delete;
  void begin() { is_mine_ = is_mine_ || state_.begin_login(); }
  void end() {
    if (std::exchange(is_mine_, false)) state_.end_login();
  }

 private:
  reachability& state_;
  bool is_mine_ = false;
};

}  // namespace

connection_pool::connection_pool(connection::shared with, std::size_t sessions, reachability& state, root_cache& root)
    : shared_(with), state_(state), root_(root) {
  for (std::size_t i = 0; i < std::max<std::size_t>(sessions, 1); ++i) workers_.push_back(std::make_unique<worker>());
  for (std::size_t i = 0; i < workers_.size(); ++i)
    workers_[i]->thread =
        thread{"connection", [this, i](const std::stop_token&) { contain("connection", [&] { run(i); }); }};
}

void connection_pool::join() {
  for (auto& w : workers_)
    if (w->thread.joinable()) w->thread.join();
}

void connection_pool::notify_all() {
  for (auto& w : workers_) w->wake.notify();
}

// Demand wakes the connection that is kept for it first.
void connection_pool::notify(queue::priority_class where) {
  for (auto w = workers_.rbegin(); w != workers_.rend(); ++w) {
    const bool kept_free = w == workers_.rbegin() && workers_.size() > 1;
    if (where != queue::priority_class::background || !kept_free) (*w)->wake.notify();
  }
}

// The last of several connections takes no background work, so that a reader never queues behind it.
bool connection_pool::takes_background(std::size_t number) const {
  return workers_.size() == 1 || number + 1 < workers_.size();
}

void connection_pool::run(std::size_t number) {
  while (!shared_.tasks.stopped()) {
    // Where the server admits one connection, it is not to be the one that takes no background work.
    if (!takes_background(number)) state_.wait_for_connection();
    if (number == 0) state_.wait_while_first_is_lent();
    auto c = connect(number);
    if (!c) return;
    const auto begun = steady_now();
    try {
      c->serve(workers_[number]->wake);
      c.reset();
      state_.record_end();
    } catch (const failure& f) {
      c.reset();
      state_.record_loss(f);
      // A server that lets us in and throws us out at once is not asked again at once.
      if (steady_now() - begun < 2s) pause(0, false);
    }
  }
}

// Tries until it has a connection; null when stopped. The other threads wait while this one tries and pauses; once it
// is logged in, the next one tries, also while this one exchanges the greetings.
std::unique_ptr<connection> connection_pool::connect(std::size_t number) {
  login_turn turn{state_};
  for (unsigned failures = 0; !shared_.tasks.stopped(); ++failures) {
    bool reached = false, logged_in = false;
    try {
      ssh::channel stream{shared_.target, shared_.tasks.stopped(), &reached};
      state_.record_login();
      logged_in = true;
      turn.end();
      auto c = greet(number, std::move(stream));
      state_.record_connection();
      return c;
    } catch (const std::exception&) {
      const failure f = failure_of(std::current_exception(), shared_.target.where());
      if (logged_in) state_.record_failed_greeting();
      if (!may_be_full(f, reached, failures)) state_.record_failed_attempt(f, logged_in);
      turn.begin();
      if (!pause_as_one_too_many(f, failures)) pause(failures, f.why == cause::refused);
    }
  }
  return nullptr;
}

std::unique_ptr<connection> connection_pool::greet(std::size_t number, ssh::channel stream) {
  stream.start();
  auto shown = exchange_greetings(stream, shared_.target, shared_.tasks.stopped());
  // A greeting does not tell of the file system. Where the server never does, a scan's two looks need no more than it.
  root_.update(shown.root_attributes, shown.offered.statvfs ? 0 : 2);
  root_.set_path(shown.root);
  can_replace_ = shown.offered.posix_rename;
  return std::make_unique<connection>(shared_, connection_role{number, takes_background(number)}, std::move(stream),
                                      std::move(shown));
}

// At the start: a server that accepts a connection and drops it may have one too many, from a command that has just
// ended. It is asked once or twice more before it counts as unreachable.
bool connection_pool::may_be_full(const failure& why, bool reached, unsigned failures) const {
  constexpr unsigned patient = 2;
  return reached && why.why == cause::unreachable && failures < patient && !state_.has_tried();
}

// Doubles from half a second to fifteen, give or take a quarter so that many ferries do not knock at once; a refused
// login waits longer, for the sake of servers that ban an address that tries too often.
void connection_pool::pause(unsigned failures, bool refused) {
  static thread_local std::minstd_rand dice{std::random_device{}()};
  const auto base = std::min<std::chrono::milliseconds>(500ms * (1U << std::min(failures, 5U)), refused ? 60s : 15s);
  const auto jittered = (refused ? std::max<std::chrono::milliseconds>(base, 10s) : base) *
                        std::uniform_int_distribution<int>{75, 125}(dice) / 100;
  state_.sleep(jittered);
}

// While other connections stand, one that is not let in is one too many: it is tried again after minutes, or when one
// of the others has ended. True: it was that, and it is time to try again.
bool connection_pool::pause_as_one_too_many(const failure& why, unsigned failures) {
  constexpr unsigned accidents = 2;  // MaxStartups drops one at random
  constexpr std::chrono::seconds first_pause = 60s, longest_pause = 600s;
  const std::size_t stand = state_.connections();
  if (stand == 0 || failures < accidents || why.why == cause::cancelled) return false;
  if (failures == accidents)
    spdlog::warn("{}: the server allows {} connection{}, fewer than --sessions {} ({})", shared_.target.where(), stand,
                 stand == 1 ? "" : "s", workers_.size(), why.text);
  state_.wait_for_fewer_connections(stand,
                                    std::min(first_pause * (1U << std::min(failures - accidents, 4U)), longest_pause));
  return true;
}

void connection_pool::lend_first() {
  if (!state_.wait_for_two_connections(2s)) return;
  shared_.others.lend_first(workers_.size() == 2);
  notify_all();
  state_.wait_until_first_has_ended(10s);
}

}  // namespace ferryfs::remote::sftp
