#include "fs/virtual/push_summary.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <memory>

#include "fs/text/size.hpp"

namespace ferryfs::fs {
namespace {

std::string count(std::uint64_t n) { return human_count(static_cast<std::int64_t>(n)); }

// As the client turns it back into its exit code.
int errno_for(exit_code code) {
  switch (code) {
    case exit_code::complete:
      return 0;
    case exit_code::incomplete:
      return EIO;
    case exit_code::usage:
      return EINVAL;
    case exit_code::source:
      return EHOSTDOWN;
    case exit_code::local:
      break;
  }
  return ENOSPC;
}

}  // namespace

push_summary summary_of(const remote::push_result& r) {
  using end = remote::push_result::end;
  if (r.ended == end::read_only) return {exit_code::source, r.why};
  std::string text = fmt::format("sent {} files, {}", count(r.files), human_size(r.bytes));
  if (r.already_there > 0) text += fmt::format("; {} already there", count(r.already_there));
  if (r.attributes_differ > 0)
    text += fmt::format("; {} have another time or mode there: the server does not allow them to be set",
                        count(r.attributes_differ));
  if (r.ended == end::lost)
    return {exit_code::source, fmt::format("{}; the source is unreachable, push again to continue: {}", text, r.why)};
  if (r.ended == end::interrupted) return {exit_code::incomplete, text + "; interrupted, push again to continue"};
  if (r.refused > 0) text += fmt::format("; {} refused: {}", count(r.refused), r.first_refusal);
  return {r.refused == 0 ? exit_code::complete : exit_code::incomplete, text};
}

command_result push_now(remote::migration& m, recorder& reports, const std::string& path, bool overwritten,
                        const remote::open_files_query& open, running_push& watch, const std::stop_token& stop) {
  if (m.limit().holds()) return {EAGAIN, "background work is paused; ferryfs ctl PATH resume resumes it\n"};
  if (const auto health = m.source().state(); !health.reachable) return {EHOSTDOWN, health.why + '\n'};
  try {
    remote::pusher p{
        {m.setup(), m.where(), m.source(), m.index(), m.readers(), m.limit(), m.suspicion()}, overwritten, open};
    watch.set(&p);
    const std::shared_ptr<void> end{nullptr, [&](void*) { watch.set(nullptr); }};
    const auto begun = wall_clock::now();
    const auto result = p.run(path, stop);
    reports.try_record(push_job(result), begun);
    const auto [code, text] = summary_of(result);
    return {errno_for(code), text + '\n'};
  } catch (const error& e) {
    return {errno_for(e.code()), e.what() + std::string("\n")};
  }
}

void running_push::set(remote::pusher* running) {
  const lock held{mutex_};
  running_ = running;
}

std::string running_push::line() {
  const lock held{mutex_};
  return running_ == nullptr ? "" : push_line(running_->so_far()) + '\n';
}

std::string push_line(const remote::pusher::progress& p) {
  return fmt::format("sent {} files, {}", count(p.files), human_size(p.bytes));
}

}  // namespace ferryfs::fs
