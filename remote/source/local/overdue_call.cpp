// A call of file_calls that was not answered in time: file_calls waits, and asks again.
#include <fcntl.h>
#include <poll.h>

#include <utility>
#include <vector>

#include "remote/source/local/file_calls.hpp"

namespace ferryfs::remote {

using namespace std::chrono_literals;
using what = file_call::what;

void file_calls::begin_overdue() { overdue_ = question{}; }

// Until something happens. True: all is to stop.
bool file_calls::wait(std::chrono::milliseconds time) {
  std::vector<pollfd> events{{stop_, POLLIN, 0}, {mounts_.get(), POLLPRI, 0}};
  for (const auto& event : unanswered_.answers_and_ends()) events.push_back(event);
  if (::poll(events.data(), events.size(), static_cast<int>(time.count())) <= 0) return false;
  if (events[1].revents != 0) mounts_changed_ = true;
  return events[0].revents != 0;
}

bool file_calls::wait_until_answered() {
  mounts_ = unique_fd{::open("/proc/self/mounts", O_RDONLY | O_CLOEXEC)};  // its news is what changes from now on
  while (true) {
    auto got = probe_result::overdue;
    if (unanswered_.has_answer())
      got = probe_result::answered;
    else if (unanswered_.has_room(std::exchange(mounts_changed_, false)))
      got = probe();
    else if (wait(1h))
      got = probe_result::stopped;
    if (got == probe_result::stopped) return false;
    if (got == probe_result::in_vain && wait(100ms)) return false;
    if (got != probe_result::answered) continue;
    overdue_.reset();
    mounts_.reset();
    unanswered_.kill_all();
    return true;
  }
}

// An answer from a cache says nothing of the rest, so the overdue call is repeated once the root has answered.
file_calls::probe_result file_calls::probe() {
  if (put(what::look, "")) return probe_result::in_vain;
  auto got = process_->exchange(stop_, deadline_, unanswered_.answers());
  const bool root_answers = got == file_process::answer::came && answer().problem == 0;
  if (root_answers) got = repeat_overdue();
  if (got == file_process::answer::came) return probe_result::answered;
  if (got == file_process::answer::late) {
    leave_behind();
    if (on_still_overdue_) on_still_overdue_(root_answers ? silent_part() : silent(overdue_->path));
    return probe_result::overdue;
  }
  process_.reset();
  return got == file_process::answer::stopped     ? probe_result::stopped
         : got == file_process::answer::elsewhere ? probe_result::overdue
                                                  : probe_result::in_vain;
}

// Only what changes nothing.
file_process::answer file_calls::repeat_overdue() {
  const auto ask = [this](what wanted, const std::string& path, const preparation& prepare = {}) {
    if (put(wanted, path, prepare)) return file_process::answer::ended;
    const auto got = process_->exchange(stop_, deadline_, unanswered_.answers());
    if (got == file_process::answer::came) record_state(wanted);
    return got;
  };
  // The directories above it are asked one by one, so that it shows which part does not answer.
  auto got = file_process::answer::came;
  for (auto end = overdue_->path.find('/'); end != std::string::npos; end = overdue_->path.find('/', end + 1))
    if (got = ask(what::look, overdue_->path.substr(0, end)); got != file_process::answer::came) return got;
  switch (overdue_->wanted) {
    case what::look:
    case what::list:
      got = ask(overdue_->wanted, overdue_->path);
      break;
    case what::list_on:
      got = ask(what::list, overdue_->path);
      break;
    case what::open:
    case what::read:
      got = ask(what::open, overdue_->path);
      if (got != file_process::answer::came || answer().problem != 0 || overdue_->wanted == what::open) break;
      got = ask(what::read, overdue_->path,
                [this](file_call& c) { c.offset = overdue_->offset, c.length = file_call::most_data; });
      break;
    default:
      break;
  }
  if (got == file_process::answer::came) release();
  return got;
}

}  // namespace ferryfs::remote
