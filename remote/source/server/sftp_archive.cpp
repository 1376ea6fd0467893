#include "remote/source/server/sftp_archive.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <random>

#include "index/base/background.hpp"
#include "index/base/exception_barrier.hpp"
#include "index/base/path.hpp"
#include "remote/source/digest/read_back.hpp"
#include "remote/source/sftp/list_task.hpp"
#include "remote/source/sftp/read_task.hpp"
#include "remote/source/sftp/write_task.hpp"

namespace ferryfs::remote::sftp {
namespace {

using namespace std::chrono_literals;

// None of them keeps another from being told.
void lose_all(const std::vector<std::shared_ptr<task>>& tasks, const failure& why) noexcept {
  for (const auto& t : tasks) contain("end of a request", [&] { t->lost(why); });
}

}  // namespace

sftp_archive::sftp_archive(ssh::target t, std::size_t sessions) : target_(std::move(t)) {
  announcer_ = std::jthread{[this](const std::stop_token& stop) { announcements(stop); }};
  for (std::size_t i = 0; i < std::max<std::size_t>(sessions, 1); ++i) workers_.push_back(std::make_unique<worker>());
  for (std::size_t i = 0; i < workers_.size(); ++i)
    workers_[i]->thread = std::jthread{[this, i] {
      if (takes_background(i)) take_long_turns();
      contain("connection", [&] { run(i); });
    }};
  std::unique_lock lock{state_mutex_};
  news_.wait(lock, [&] { return tried_; });
}

void sftp_archive::stop() {
  if (!announcer_.joinable()) return;
  queue_.stop();
  {
    const std::lock_guard lock{state_mutex_};
    last_ = {cause::cancelled, "ferryfs is ending"};
    news_.notify_all();
  }
  digests_.stop();
  for (auto& w : workers_) w->wake.ring();
  for (auto& w : workers_) w->thread.join();
  lose_all(queue_.close(), {cause::cancelled, "ferryfs is ending"});
  announcer_.request_stop();
  announcer_.join();
}

void sftp_archive::list(const std::string& path, std::shared_ptr<listing> to) {
  put(std::make_shared<list_task>(path, std::move(to)), queue::line::listing);
}

void sftp_archive::stat(const std::string& path, stat_task::done done) {
  if (path.empty()) return look_at_root(std::move(done));
  put(std::make_shared<stat_task>(path, std::move(done)), queue::line::look);
}

// Who has just looked, or was just greeted, has seen it: each time a round trip.
std::optional<attributes> sftp_archive::root_just_seen() const {
  const std::lock_guard lock{state_mutex_};
  return std::chrono::steady_clock::now() - root_seen_ < 1s ? root_attributes_ : std::nullopt;
}

void sftp_archive::look_at_root(stat_task::done done) {
  if (const auto seen = take_seen_root())
    return announce([done = std::move(done), seen = *seen] { done(std::nullopt, seen); });
  const auto looked = [this, done = std::move(done)](const std::optional<failure>& why, const attributes& a) {
    if (!why) saw_root(a, 1);
    done(why, a);
  };
  const auto told = [this](std::optional<std::uint64_t> id) {
    const std::lock_guard lock{state_mutex_};
    file_system_ = id;
  };
  put(std::make_shared<stat_task>("", looked, told), queue::line::look);
}

// A greeting takes nothing from what was just seen. `answers`: how many looks it saves.
void sftp_archive::saw_root(const std::optional<attributes>& shown, unsigned answers) {
  const std::lock_guard lock{state_mutex_};
  const auto now = std::chrono::steady_clock::now();
  if (answers < seen_answers_ && now - root_seen_ < 1s) return;
  root_attributes_ = shown;
  root_seen_ = now;
  seen_answers_ = answers;
}

std::optional<attributes> sftp_archive::take_seen_root() {
  const auto seen = root_just_seen();
  const std::lock_guard lock{state_mutex_};
  if (!seen || seen_answers_ == 0) return std::nullopt;
  --seen_answers_;
  return seen;
}

std::optional<std::uint64_t> sftp_archive::file_system() const {
  const std::lock_guard lock{state_mutex_};
  return file_system_;
}

void sftp_archive::read(std::shared_ptr<reading> to, lane where) {
  put(std::make_shared<read_task>(std::move(to), where),
      where == lane::demand ? queue::line::demand : queue::line::background);
}

void sftp_archive::digest(const std::string& path, digested done) {
  std::unique_lock lock{state_mutex_};
  const std::string root = root_;
  lock.unlock();
  if (root.empty() || workers_.size() == 1) return digest_by_reading(*this, path, std::move(done));
  digests_.want(path, join(root, path), std::move(done));
}

void sftp_archive::raise(const std::shared_ptr<reading>& which) {
  queue_.raise(which);
  for (auto& w : workers_) w->wake.ring();
}

void sftp_archive::write(std::shared_ptr<writing> from) {
  put(std::make_shared<write_task>(std::move(from)), queue::line::background);
}

void sftp_archive::make_directory(const std::string& path, std::uint32_t mode, changed done) {
  change_names({change::what::directory, path, {}, mode}, std::move(done));
}

void sftp_archive::make_link(const std::string& path, const std::string& target, changed done) {
  change_names({change::what::link, path, target}, std::move(done));
}

void sftp_archive::rename(const std::string& from, const std::string& to, bool replace, changed done) {
  change_names({replace ? change::what::replacement : change::what::name, to, from}, std::move(done));
}

void sftp_archive::remove(const std::string& path, changed done) {
  change_names({change::what::removal, path, {}}, std::move(done));
}

void sftp_archive::change_names(change c, changed done) {
  put(std::make_shared<change_task>(std::move(c), std::move(done)), queue::line::background);
}

bool sftp_archive::can_replace() const {
  const std::lock_guard lock{state_mutex_};
  return can_replace_;
}

void sftp_archive::put(std::shared_ptr<task> t, queue::line where) {
  if (queue_.put(t, where)) return ring(where);
  std::unique_lock lock{state_mutex_};
  const failure why = last_;
  lock.unlock();
  if (queue_.stopped()) return t->lost(why);
  announce([t = std::move(t), why] { t->lost(why); });
}

// Demand wakes the connection that is kept for it first.
void sftp_archive::ring(queue::line where) {
  for (auto w = workers_.rbegin(); w != workers_.rend(); ++w) {
    const bool kept_free = w == workers_.rbegin() && workers_.size() > 1;
    if (where != queue::line::background || !kept_free) (*w)->wake.ring();
  }
}

archive::health sftp_archive::state() const {
  const std::lock_guard lock{state_mutex_};
  return health_;
}

void sftp_archive::observe(std::function<void(const health&)> told) {
  const std::lock_guard lock{state_mutex_};
  observer_ = std::move(told);
}

std::size_t sftp_archive::depth() const { return 900 * std::max<std::size_t>(workers_.size() - 1, 1); }

// The last of several connections takes no background work, so that a reader never queues behind it.
bool sftp_archive::takes_background(std::size_t number) const {
  return workers_.size() == 1 || number + 1 < workers_.size();
}

void sftp_archive::run(std::size_t number) {
  while (!queue_.stopped()) {
    if (!takes_background(number)) wait_for_another();
    if (number == 0) wait_while_lent();
    auto c = connect();
    if (!c) return;
    const auto begun = std::chrono::steady_clock::now();
    try {
      c->serve(queue_, workers_[number]->wake, takes_background(number), number);
      c.reset();
      const std::lock_guard lock{state_mutex_};
      --established_;
      news_.notify_all();
    } catch (const failure& f) {
      c.reset();
      closed(f);
      // A server that lets us in and throws us out at once is not asked again at once.
      if (std::chrono::steady_clock::now() - begun < 2s) pause(0, false);
    }
  }
}

// Where the server admits one connection, it is not to be the one that takes no background work.
void sftp_archive::wait_for_another() {
  std::unique_lock lock{state_mutex_};
  news_.wait(lock, [&] { return established_ > 0 || queue_.stopped(); });
}

void sftp_archive::wait_while_lent() {
  std::unique_lock lock{state_mutex_};
  first_holds_ = false;
  news_.notify_all();
  news_.wait(lock, [&] { return !queue_.is_lent(0) || queue_.stopped(); });
  first_holds_ = true;
}

// The digests have a connection of their own, which counts among the sessions: the first of the others makes place for
// it. Where the server lets in but one, it is one more, as nobody could read meanwhile.
void sftp_archive::lend() {
  std::unique_lock lock{state_mutex_};
  news_.wait_for(lock, 2s, [&] { return established_ > 1 || queue_.stopped(); });
  if (established_ < 2) return;
  queue_.lend(workers_.size() == 2);
  for (auto& w : workers_) w->wake.ring();
  news_.wait_for(lock, 10s, [&] { return !first_holds_ || queue_.stopped(); });
}

void sftp_archive::take_back() {
  const std::lock_guard lock{state_mutex_};
  queue_.take_back();
  news_.notify_all();
}

std::unique_ptr<connection> sftp_archive::greet(ssh::channel stream) {
  stream.start();
  auto c = std::make_unique<connection>(target_, std::move(stream), queue_.stopped());
  // It does not tell of the file system. Where the server never does, a scan's two looks have seen all that there is.
  saw_root(c->root_attributes(), c->offered().statvfs ? 0 : 2);
  const std::lock_guard lock{state_mutex_};
  root_ = c->absolute("");
  can_replace_ = c->offered().posix_rename;
  return c;
}

// Tries until it has a connection; null when stopped. One thread at a time tries, the others wait for it, also while it
// pauses; once it is logged in, the next one tries.
std::unique_ptr<connection> sftp_archive::connect() {
  std::unique_lock turn{connecting_};
  for (unsigned failures = 0; !queue_.stopped(); ++failures) {
    bool reached = false;
    try {
      ssh::channel stream{target_, queue_.stopped(), &reached};
      logged_in(true);
      turn.unlock();
      auto c = greet(std::move(stream));
      up();
      return c;
    } catch (const std::exception&) {
      const failure f = failure_of(std::current_exception(), target_.where());
      const bool was_in = !turn.owns_lock();
      if (was_in) logged_in(false);
      if (!may_be_full(f, reached, failures)) down(f, was_in);
      if (was_in) turn.lock();
      if (!refused_by_number(f, failures)) pause(failures, f.why == cause::refused);
    }
  }
  return nullptr;
}

// At the start: a server that accepts a connection and drops it may have one too many, from a command that has just
// ended. It is asked once or twice more before it counts as unreachable.
bool sftp_archive::may_be_full(const failure& why, bool reached, unsigned failures) {
  constexpr unsigned patient = 2;
  const std::lock_guard lock{state_mutex_};
  return !tried_ && reached && why.why == cause::unreachable && failures < patient;
}

// Doubles from half a second to fifteen, give or take a quarter so that many ferries do not knock at once; a refused
// login waits longer, for the sake of servers that ban who tries too often.
void sftp_archive::pause(unsigned failures, bool refused) {
  static thread_local std::minstd_rand dice{std::random_device{}()};
  const auto base = std::min<std::chrono::milliseconds>(500ms * (1U << std::min(failures, 5U)), refused ? 60s : 15s);
  const auto jittered = (refused ? std::max<std::chrono::milliseconds>(base, 10s) : base) *
                        std::uniform_int_distribution<int>{75, 125}(dice) / 100;
  std::unique_lock lock{state_mutex_};
  news_.wait_for(lock, jittered, [&] { return queue_.stopped().load(); });
}

// While other connections stand, one that is not let in is one too many: it is tried again after minutes, or when one
// of the others has ended. A server that bans who knocks too often is not knocked at.
bool sftp_archive::refused_by_number(const failure& why, unsigned failures) {
  constexpr unsigned accidents = 2;  // MaxStartups drops one at random
  constexpr std::chrono::seconds first_pause = 60s, longest_pause = 600s;
  std::unique_lock lock{state_mutex_};
  const std::size_t stand = established_;
  if (stand == 0 || failures < accidents || why.why == cause::cancelled) return false;
  if (failures == accidents)
    spdlog::warn("{}: the server allows {} connection{}, fewer than --sessions {} ({})", target_.where(), stand,
                 stand == 1 ? "" : "s", workers_.size(), why.text);
  const auto time = std::min(first_pause * (1U << std::min(failures - accidents, 4U)), longest_pause);
  news_.wait_for(lock, time, [&] { return queue_.stopped() || established_ < stand; });
  return true;
}

void sftp_archive::tried() {
  tried_ = true;
  news_.notify_all();
}

// One that is logged in says more of the source than another's refused login: whether it is up shows in its greeting.
void sftp_archive::logged_in(bool greets) {
  const std::lock_guard lock{state_mutex_};
  greets ? ++greeting_ : --greeting_;
}

void sftp_archive::up() {
  std::unique_lock lock{state_mutex_};
  ++established_, --greeting_;
  tried();
  if (health_.reachable) return;
  health_ = {true, ""};
  queue_.open();
  const auto told = observer_;
  lock.unlock();
  if (told) announce([told] { told({true, ""}); });
}

// An attempt to connect failed. While other connections stand, that says nothing of the source.
void sftp_archive::down(const failure& why, bool was_in) {
  std::unique_lock lock{state_mutex_};
  last_ = why;
  if (established_ > 0 || (!was_in && greeting_ > 0)) return;
  tried();
  const bool news = health_.reachable;
  health_ = {false, why.text};
  const auto told = observer_;
  auto left = queue_.close();
  lock.unlock();
  announce([left = std::move(left), why] { lose_all(left, why); });
  if (news && told) announce([told, why] { told({false, why.text}); });
}

// A connection ended. A lost or broken one is made anew at once; one that fell silent is a source that is down.
void sftp_archive::closed(const failure& why) {
  {
    const std::lock_guard lock{state_mutex_};
    --established_;
    last_ = why;
    news_.notify_all();
  }
  if (why.why == cause::timeout || why.why == cause::refused) down(why, true);
}

void sftp_archive::announce(std::function<void()> call) {
  {
    const std::lock_guard lock{announce_mutex_};
    if (!announced_all_) announcements_.push_back(std::exchange(call, nullptr));
  }
  call ? call() : announce_wake_.notify_one();
}

void sftp_archive::announcements(const std::stop_token& stop) {
  std::unique_lock lock{announce_mutex_};
  while (announce_wake_.wait(lock, stop, [&] { return !announcements_.empty(); })) {
    const auto call = std::move(announcements_.front());
    announcements_.pop_front();
    lock.unlock();
    contain("announcement", call);
    lock.lock();
  }
  // What is queued is still told: every request ends.
  while (!announcements_.empty()) {
    const auto call = std::move(announcements_.front());
    announcements_.pop_front();
    lock.unlock();
    contain("announcement", call);
    lock.lock();
  }
  announced_all_ = true;
}

}  // namespace ferryfs::remote::sftp
