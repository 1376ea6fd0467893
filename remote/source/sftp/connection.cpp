#include "remote/source/sftp/connection.hpp"

#include <fmt/format.h>

#include "index/base/clock.hpp"
#include "index/base/exception_barrier.hpp"

namespace ferryfs::remote::sftp {

using namespace std::chrono_literals;

connection::connection(shared with, connection_role role, ssh::channel stream, greeting shown)
    : shared_(with),
      role_(role),
      greeting_(std::move(shown)),
      stream_(std::move(stream)),
      flow_(limits_, greeting_.round_trip),
      deadlines_(with.target.io_timeout),
      handles_(with.target.where()),
      tasks_(with.tasks, with.others, role, flow_, handles_, stream_) {
  predictor_.set_openssh(offered().limits);
  if (offered().limits) std::make_shared<limits_task>(limits_)->start(*this);
}

std::string connection::absolute(const std::string& path) const {
  const std::string& root = greeting_.root;
  if (path.empty()) return root;
  return root.ends_with('/') ? root + path : root + '/' + path;
}

builder connection::begin(request r) {
  const type t = r.sent;
  r.sent_at = steady_now();
  r.in_flight_before = flow_.add(r.part.length);
  if (pending_.empty()) deadlines_.record_activity(r.sent_at);
  handles_.record_request(t);
  const std::uint32_t id = pending_.add(std::move(r));
  return builder{stream_.outbox(), t, id};
}

void connection::close(std::shared_ptr<task> owner, const std::string& handle) {
  predictor_.record_close(handle);
  handles_.record_close(handle);
  request_sender::close(std::move(owner), handle);
}

void connection::serve(event_notifier& wake) {
  failure why;
  try {
    return run(wake);
  } catch (const protocol_error& b) {
    why = {cause::protocol, fmt::format("{}: the server breaks the SFTP protocol: {}", where(), b.text)};
  } catch (const failure& f) {
    why = f;
  } catch (...) {
    why = {cause::unreachable, fmt::format("{}: {}", where(), text_of(std::current_exception()))};
  }
  mark_suspect(why);
  // The others only lost their connection.
  end_all(why.why == cause::protocol ? failure{cause::unreachable, why.text} : why);
  throw failure{why};
}

void connection::run(event_notifier& wake) {
  while (!shared_.tasks.stopped()) {
    if (may_leave()) return;
    bool moved = retry_deferred();
    moved = tasks_.take(*this) || moved;
    moved = tasks_.request_more(*this) || moved;
    // A read that stopped in the middle of opening the window goes on before anything else is sent.
    const bool all_sent = !stream_.read_pending() && stream_.flush();
    // While a write is unfinished libssh2 takes no other call: the server reads on, so it ends.
    if (!stream_.write_pending()) moved = receive() || moved;
    check_deadlines();
    if (!moved) wait(wake, all_sent);
  }
  end_all({cause::cancelled, "ferryfs is ending"});
}

// Until the server answers, there is work, or it is time to look at the deadlines. An idle server is sent something.
void connection::wait(event_notifier& wake, bool all_sent) {
  constexpr auto limit_tick = 10ms;  // of a rate limit
  if (pending_.empty() && deadlines_.is_idle()) {
    tasks_.add();
    std::make_shared<stat_task>("", [](const auto&, const auto&) {})->start(*this);
    return;
  }
  const std::chrono::milliseconds quiet = pending_.empty() ? deadlines_.idle_time() + 10ms : 500ms;
  wake.fall_asleep();
  if (!handles_.has_deferred() && !tasks_.has_work() && !shared_.tasks.stopped())
    stream_.wait(wake.fd(), flow_.is_throttled() ? limit_tick : all_sent ? quiet : 100ms);
  wake.wake_up();
}

// Whether the connection may close to make room. Its tasks fail then, and their owners ask again over another one.
bool connection::may_leave() {
  if (!shared_.others.is_lent(role_.number)) return false;
  if (tasks_.count() == 0) return true;
  if (shared_.others.lent_for() < 5s) return false;
  suspect_marked_ = true;  // no task is to blame
  throw failure{cause::unreachable, where() + ": the connection is closed to make room for that of the digests"};
}

// Files that the server refused to open are opened before anything else, as soon as fewer are open.
bool connection::retry_deferred() {
  bool moved = false;
  while (handles_.has_deferred()) {
    const request r = handles_.take_deferred();
    moved = true;
    if (r.owner->counted().ended()) continue;
    if (const auto thrown = contain("request", [&] { r.owner->retry(*this, r); }))
      tasks_.end(r.owner, failure_of(thrown, where()));
  }
  return moved;
}

bool connection::receive() {
  constexpr std::size_t most_at_once = 4U << 20;  // then new tasks get their turn
  std::size_t total = 0;
  while (total < most_at_once) {
    const std::size_t n = stream_.read();
    if (n == 0) break;
    total += n;
    const auto now = steady_now();
    deadlines_.record_activity(now);
    shared_.others.record_activity(role_.number, now);
    while (const auto packet = stream_.next_packet()) dispatch(*packet);
  }
  return total > 0;
}

void connection::dispatch(std::span<const std::byte> packet) {
  parser p{packet};
  const auto got = static_cast<type>(p.u8());
  request r = pending_.take(p.u32());
  flow_.record_reply(r);
  handles_.record_reply(r.sent, got, p);
  const bool was_ended = r.owner->counted().ended();
  try {
    if (opens_handle(r.sent) && got == type::status && !was_ended && handles_.defer(r, p)) return;
    // It was ended while the server had not answered yet.
    if (opens_handle(r.sent) && got == type::handle && was_ended) return close(r.owner, std::string{p.string()});
    r.owner->reply(*this, r, got, p);
  } catch (const protocol_error& b) {
    // The request is out of the table already: nothing else would end its task.
    r.owner->lost({cause::protocol, fmt::format("{}: the server breaks the SFTP protocol: {}", where(), b.text)});
    suspect_marked_ = true;
    throw;
  } catch (...) {
    // Of the task, or of its owner's callback: this task ends, and no other.
    log_once(where() + ": " + text_of(std::current_exception()));
    tasks_.remove_transfer(*r.owner);
    fail_task(*r.owner, failure_of(std::current_exception(), where()));
  }
  if (!was_ended && r.owner->counted().ended()) tasks_.record_end(*r.owner);
  if (r.sent == type::open && !r.owner->ended())
    if (auto file = std::dynamic_pointer_cast<transfer>(r.owner)) tasks_.add_transfer(std::move(file));
}

void connection::check_deadlines() {
  if (pending_.empty()) return;
  end_overtaken();
  if (!deadlines_.are_over()) return;
  silent_alone_ = deadlines_.is_silent_alone(shared_.others.last_activity_besides(role_.number));
  throw_timeout();
}

// The tasks of stuck requests end alone.
void connection::end_overtaken() {
  const auto stuck = deadlines_.find_stuck(pending_);
  // Their handles stay open there, and a server that allows few has none for that.
  if (!stuck.empty() && handles_.is_limited()) {
    silent_alone_ = true;
    throw_timeout();
  }
  for (const auto& t : stuck) {
    tasks_.isolate(*t);
    tasks_.end(t,
               {cause::source_error, fmt::format("{}: the server gave no answer within {} s to a request that others "
                                                 "overtook",
                                                 where(), shared_.target.io_timeout.count())});
  }
}

void connection::throw_timeout() {
  throw failure{cause::timeout, fmt::format("{}: no answer within {} s", where(), shared_.target.io_timeout.count())};
}

// The server answers in order: what it broke off at is the oldest request, unless a wrong answer was known by its
// number. Where it fell silent over that alone, the request is what it is stuck with.
void connection::mark_suspect(failure why) {
  if (suspect_marked_) return;
  const auto suspect = pending_.owner_of_oldest();
  if (!suspect) return;
  why.suspect = true;
  if (silent_alone_) {
    tasks_.isolate(*suspect);
    why = {cause::source_error,
           fmt::format("{}; it was asked for this alone, and other connections were answered meanwhile", why.text)};
  }
  fail_task(*suspect, why);
}

void connection::end_all(const failure& why) {
  const auto pending = pending_.take_owners();
  const auto deferred = handles_.take_all_deferred();
  tasks_.end_transfers(why);
  for (const auto& owner : pending) fail_task(*owner, why);
  for (const auto& r : deferred) fail_task(*r.owner, why);
}

}  // namespace ferryfs::remote::sftp
