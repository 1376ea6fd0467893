#include "remote/engine/push/push_tally.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include "index/base/time.hpp"

namespace ferryfs::remote {
namespace {

constexpr std::uint64_t denials_that_tell = 20;  // with nothing taken: the account may not write at all

bool shows_other(const attributes& there, const file_facts& here) {
  const bool other_time = there.mtime && *there.mtime != to_seconds(here.mtime);
  return other_time || ((there.mode & 07777) != 0 && ((there.mode ^ here.mode) & 0777) != 0);
}

}  // namespace

void push_tally::count_sent(const push_item& p, const attributes& there) {
  accepted_ = true;
  ++result_.files;
  result_.bytes += p.row.local->size;
  if (S_ISREG(there.mode) && shows_other(there, *p.row.local)) ++result_.attributes_differ;
}

void push_tally::count_refusal(const failure& why) {
  if (why.why == cause::cancelled) return interrupt();
  if (result_.refused++ == 0) result_.first_refusal = why.text;
  if (why.why == cause::permission) ++denied_;
}

void push_tally::interrupt() {
  if (!was_ended()) abort();
}

void push_tally::lose_source(const std::string& why) {
  result_.ended = push_result::end::lost;
  result_.why = why;
}

bool push_tally::is_ended() {
  if (denied_all() && denied_ >= denials_that_tell) result_.ended = push_result::end::read_only;
  return was_ended();
}

push_result push_tally::conclude() {
  if (!was_ended() && denied_all()) result_.ended = push_result::end::read_only;
  if (result_.ended == push_result::end::read_only)
    result_.why = fmt::format("{}; push needs an account that may write to the source", result_.first_refusal);
  return result_;
}

}  // namespace ferryfs::remote
