#include "fs/push_text.hpp"

#include <fmt/format.h>

#include "fs/size.hpp"

namespace ferryfs::fs {
namespace {

std::string count(std::uint64_t n) { return human_count(static_cast<std::int64_t>(n)); }

}  // namespace

push_words words_for(const remote::push_result& r) {
  using end = remote::push_result::end;
  if (r.ended == end::read_only) return {exit_code::source, r.why};
  std::string text = fmt::format("sent {} files, {}", count(r.files), human_size(r.bytes));
  if (r.there > 0) text += fmt::format("; {} already there", count(r.there));
  if (r.ended == end::lost)
    return {exit_code::source, fmt::format("{}; the source is unreachable, push again to go on: {}", text, r.why)};
  if (r.ended == end::interrupted) return {exit_code::incomplete, text + "; interrupted, push again to go on"};
  if (r.refused > 0) text += fmt::format("; {} refused: {}", count(r.refused), r.first_refusal);
  return {r.refused == 0 ? exit_code::complete : exit_code::incomplete, text};
}

std::string push_line(const remote::pusher::progress& p) {
  return fmt::format("sent {} files, {}", count(p.files), human_size(p.bytes));
}

}  // namespace ferryfs::fs
