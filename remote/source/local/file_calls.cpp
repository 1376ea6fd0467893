#include "remote/source/local/file_calls.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

#include "index/base/path.hpp"

namespace ferryfs::remote {
namespace {

using what = file_call::what;

std::string below(const std::string& root, const std::string& path) { return path.empty() ? root : join(root, path); }

// Where it is, below the root.
std::string place_of(file_process& p) {
  const std::string name = p.place();
  return name.empty() ? p.call().path : join(p.call().path, name);
}

}  // namespace

file_calls::file_calls(std::string root, std::chrono::milliseconds deadline, int stop, listener on_overdue,
                       listener on_still_overdue)
    : root_(std::move(root)),
      deadline_(deadline),
      stop_(stop),
      on_overdue_(std::move(on_overdue)),
      on_still_overdue_(std::move(on_still_overdue)) {}

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
          fmt::format("the source does not answer: {} (nothing for {} s{}); check what is mounted there",
                      printable(root_), std::chrono::ceil<std::chrono::seconds>(deadline_).count(),
                      path.empty() ? "" : " of " + printable(path)),
          !path.empty()};
}

// The root has answered; the last call below it has not.
failure file_calls::silent_part() const {
  return {cause::timeout, fmt::format("a part of the source does not answer and holds up the rest: {} (nothing for {} "
                                      "s); check what is mounted there, or unmount it",
                                      printable(below(root_, place_of(unanswered_.last()))),
                                      std::chrono::ceil<std::chrono::seconds>(deadline_).count())};
}

std::optional<failure> file_calls::put(what wanted, const std::string& path, const preparation& prepare,
                                       const std::string& other) {
  if (process_ && !in_the_midst_ && process_->has_ended()) process_.reset();  // the operator has killed it
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
      overdue_ = question{wanted, path, offset};
      const failure why = silent(place_of(unanswered_.last()));
      on_overdue_(why);
      return why;
    }
    case file_process::answer::stopped:
      process_.reset();
      return failure{cause::cancelled, "ferryfs is ending"};
    default:
      process_.reset();
      return failure{cause::unreachable,
                     fmt::format("{}: the process that reads it was killed; another one is started", printable(root_))};
  }
  record_state(wanted);
  const int problem = answer().problem;
  if (problem == 0) return std::nullopt;
  return answer().no_root ? away(problem) : failed(path, problem);
}

void file_calls::record_state(what wanted) {
  if (wanted == what::open || wanted == what::create) in_the_midst_ = true;
  if (wanted == what::close) in_the_midst_ = false;
  if (wanted == what::list || wanted == what::list_on) in_the_midst_ = answer().more;
}

void file_calls::release() {
  if (std::exchange(in_the_midst_, false)) process_.reset();
  unanswered_.reap();
  file_process::reap_killed();
}

void file_calls::leave_behind() {
  in_the_midst_ = false;
  unanswered_.add(std::move(process_));
}

}  // namespace ferryfs::remote
