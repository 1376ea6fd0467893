#include "remote/source/local/file_calls.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "index/base/path.hpp"

namespace ferryfs::remote {
namespace {

using namespace std::chrono_literals;
using what = file_call::what;

// Processes without an answer, before no more are started: as a rule, and however often something is mounted.
constexpr std::size_t usual_room = 3, most_room = 16;
// Those that were killed have so much time to end before all goes on.
constexpr auto end_time = 200ms;

std::string below(const std::string& root, const std::string& path) { return path.empty() ? root : join(root, path); }

// Where it is, below the root.
std::string place_of(file_process& p) {
  const std::string name = p.place();
  return name.empty() ? p.call().path : join(p.call().path, name);
}

}  // namespace

file_calls::file_calls(std::string root, std::chrono::milliseconds deadline, int stop, listener on_late,
                       listener on_still_late)
    : root_(std::move(root)),
      deadline_(deadline),
      stop_(stop),
      on_late_(std::move(on_late)),
      on_still_late_(std::move(on_still_late)),
      room_(usual_room) {}

failure file_calls::failed(const std::string& path, int problem) const {
  const cause why = problem == ENOENT || problem == ENOTDIR                     ? cause::not_found
                    : problem == EACCES || problem == EPERM || problem == EROFS ? cause::permission
                    : problem == EEXIST                                         ? cause::exists
                                                                                : cause::source_error;
  return {why, fmt::format("{}: {}", printable(below(root_, path)), std::strerror(problem))};
}

// Without the root nothing is known of what lies below it.
failure file_calls::away(int problem) const {
  return {cause::unreachable, fmt::format("{}: {}", printable(root_), std::strerror(problem))};
}

failure file_calls::silent(const std::string& path) const {
  return {cause::timeout,
          fmt::format("the source does not answer: {} (nothing for {} s{}); see what is mounted there",
                      printable(root_), std::chrono::ceil<std::chrono::seconds>(deadline_).count(),
                      path.empty() ? "" : " of " + printable(path)),
          !path.empty()};
}

// The root has answered; what was asked below it last has not.
failure file_calls::silent_part() const {
  return {
      cause::timeout,
      fmt::format("a part of the source does not answer, which all has to wait for: {} (nothing for {} s); see what "
                  "is mounted there, or unmount it",
                  printable(below(root_, place_of(*left_behind_.back()))),
                  std::chrono::ceil<std::chrono::seconds>(deadline_).count())};
}

std::optional<failure> file_calls::put(what wanted, const std::string& path, const preparation& prepare,
                                       const std::string& other) {
  if (process_ && !in_the_midst_ && process_->has_ended()) process_.reset();  // somebody has killed it
  try {
    if (!process_) process_ = std::make_unique<file_process>(root_);
  } catch (const failure& f) {
    return f;
  }
  auto& call = process_->call();
  call.wanted = wanted;
  call.length = 0, call.more = call.no_root = false, call.problem = 0;
  if (!file_call::put(call.path, path) || !file_call::put(call.other, other)) return failed(path, ENAMETOOLONG);
  if (prepare) prepare(call);
  return std::nullopt;
}

std::optional<failure> file_calls::make(what wanted, const std::string& path, const preparation& prepare,
                                        const std::string& other) {
  if (const auto why = put(wanted, path, prepare, other)) return why;
  const std::uint64_t offset = wanted == what::read ? answer().offset : 0;
  switch (process_->exchange(stop_, deadline_)) {
    case file_process::answer::came:
      break;
    case file_process::answer::late: {
      leave_behind();
      late_ = question{wanted, path, offset};
      const failure why = silent(place_of(*left_behind_.back()));
      on_late_(why);
      return why;
    }
    case file_process::answer::stopped:
      process_.reset();
      return failure{cause::cancelled, "ferryfs is ending"};
    default:
      process_.reset();
      return failure{cause::unreachable,
                     fmt::format("{}: the process that reads it was ended; another takes its place", printable(root_))};
  }
  const auto& told = answer();
  keep_in_mind(wanted);
  if (told.problem == 0) return std::nullopt;
  return told.no_root ? away(told.problem) : failed(path, told.problem);
}

void file_calls::keep_in_mind(what wanted) {
  const auto& told = answer();
  if (wanted == what::open || wanted == what::create) in_the_midst_ = true;
  if (wanted == what::close) in_the_midst_ = false;
  if (wanted == what::list || wanted == what::list_on) in_the_midst_ = told.more;
}

void file_calls::settle() {
  if (std::exchange(in_the_midst_, false)) process_.reset();
  reap();
  file_process::reap_killed();
}

void file_calls::begin_late() { late_ = question{}; }

// It goes on waiting: a sick disk may take minutes to say that it can't.
void file_calls::leave_behind() {
  in_the_midst_ = false;
  left_behind_.push_back(std::move(process_));
}

bool file_calls::is_answered_late() const {
  return std::any_of(left_behind_.begin(), left_behind_.end(), [](const auto& p) { return p->has_answered(); });
}

void file_calls::reap() {
  const std::size_t ended = std::erase_if(left_behind_, [](const auto& p) { return p->has_ended(); });
  room_ = std::max(usual_room, room_ - std::min(room_, ended));
}

// Makes it, where one can be killed that asks what the first asks as well. One that can't end keeps its place; but
// where something was mounted since, or is no longer, another may well be answered.
bool file_calls::has_room_for_another() {
  reap();
  const bool may_differ = std::exchange(mounts_changed_, false);
  if (left_behind_.size() < room_) return true;
  if (may_differ && left_behind_.size() < most_room) {
    room_ = left_behind_.size() + 1;
    return true;
  }
  const auto waits = [](const auto& p) { return !p->is_killed(); };
  const auto first = std::find_if(left_behind_.begin(), left_behind_.end(), waits);
  if (first == left_behind_.end()) return false;
  const auto next = std::find_if(first + 1, left_behind_.end(), waits);
  if (next != left_behind_.end()) (*next)->kill();
  return false;
}

std::vector<pollfd> file_calls::lines() const {
  std::vector<pollfd> all;
  for (const auto& p : left_behind_)
    if (!p->is_killed()) all.push_back({p->line(), POLLIN, 0});
  return all;
}

// Until something happens. True: all is to stop.
bool file_calls::pause(std::chrono::milliseconds time) {
  std::vector<pollfd> events{{stop_, POLLIN, 0}, {mounts_.get(), POLLPRI, 0}};
  for (const auto& line : lines()) events.push_back(line);
  for (const auto& p : left_behind_) events.push_back({p->handle(), POLLIN, 0});
  if (::poll(events.data(), events.size(), static_cast<int>(time.count())) <= 0) return false;
  if (events[1].revents != 0) mounts_changed_ = true;
  return events[0].revents != 0;
}

bool file_calls::wait_until_answered() {
  mounts_ = unique_fd{::open("/proc/self/mounts", O_RDONLY | O_CLOEXEC)};  // its news is what changes from now on
  while (true) {
    auto got = probed::late;
    if (is_answered_late())
      got = probed::answered;
    else if (has_room_for_another())
      got = probe();
    else if (pause(1h))
      got = probed::stopped;
    if (got == probed::stopped) return false;
    if (got == probed::in_vain && pause(100ms)) return false;
    if (got != probed::answered) continue;
    answered();
    return true;
  }
}

// Who can't end all the same takes no place from those that are left behind another time.
void file_calls::answered() {
  late_.reset();
  mounts_.reset();
  for (const auto& p : left_behind_) p->kill();
  for (const auto end = std::chrono::steady_clock::now() + end_time;; reap()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    if (left_behind_.empty() || left.count() <= 0) break;
    std::vector<pollfd> ends;
    for (const auto& p : left_behind_) ends.push_back({p->handle(), POLLIN, 0});
    ::poll(ends.data(), ends.size(), static_cast<int>(left.count()));
  }
  room_ = std::min(left_behind_.size() + usual_room, most_room);
}

// What a cache answers says nothing of the rest: what was asked in vain is asked again.
file_calls::probed file_calls::probe() {
  if (put(what::look, "")) return probed::in_vain;
  auto got = process_->exchange(stop_, deadline_, lines());
  const bool root_answers = got == file_process::answer::came && answer().problem == 0;
  if (root_answers) got = ask_again();
  if (got == file_process::answer::came) return probed::answered;
  if (got == file_process::answer::late) {
    leave_behind();
    if (on_still_late_) on_still_late_(root_answers ? silent_part() : silent(late_->path));
    return probed::late;
  }
  process_.reset();
  return got == file_process::answer::stopped     ? probed::stopped
         : got == file_process::answer::elsewhere ? probed::late
                                                  : probed::in_vain;
}

// Only what changes nothing.
file_process::answer file_calls::ask_again() {
  const auto ask = [this](what wanted, const std::string& path, const preparation& prepare = {}) {
    if (put(wanted, path, prepare)) return file_process::answer::ended;
    const auto got = process_->exchange(stop_, deadline_, lines());
    if (got == file_process::answer::came) keep_in_mind(wanted);
    return got;
  };
  // What lies above it, so that it shows which part it is that does not answer.
  auto got = file_process::answer::came;
  for (auto end = late_->path.find('/'); end != std::string::npos; end = late_->path.find('/', end + 1))
    if (got = ask(what::look, late_->path.substr(0, end)); got != file_process::answer::came) return got;
  switch (late_->wanted) {
    case what::look:
    case what::list:
      got = ask(late_->wanted, late_->path);
      break;
    case what::list_on:
      got = ask(what::list, late_->path);
      break;
    case what::open:
    case what::read:
      got = ask(what::open, late_->path);
      if (got != file_process::answer::came || answer().problem != 0 || late_->wanted == what::open) break;
      got = ask(what::read, late_->path,
                [this](file_call& c) { c.offset = late_->offset, c.length = file_call::most_data; });
      break;
    default:
      break;
  }
  if (got == file_process::answer::came) settle();
  return got;
}

std::string plain_path(const std::string& path) {
  std::string plain = std::filesystem::absolute(path).lexically_normal().string();
  while (plain.size() > 1 && plain.ends_with('/')) plain.pop_back();
  return plain;
}

std::optional<std::string> real_path_in_time(const std::string& path, std::chrono::milliseconds deadline) {
  // Not plain: what a link leads to has another "..".
  const std::string absolute = std::filesystem::absolute(path).string();
  constexpr int nobody_stops = -1;
  bool is_late = false;
  file_calls calls{absolute, deadline, nobody_stops, [&](const failure&) { is_late = true; }};
  const auto why = calls.make(what::resolve, "");
  if (is_late) return std::nullopt;
  if (!why) return calls.answer().other;
  if (why->of_connection()) throw failure{*why};
  return plain_path(path);
}

}  // namespace ferryfs::remote
