// A command as it is written into .ferryfs/control: a verb, how, and about what. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ferryfs::fs {

// pause, resume, limit RATE, rescan [changed|believe], progress push|verify, stop push|verify, fetch PATH, skip PATH,
// undelete PATH, push [--overwritten] [--] PATH, resolve source|destination|both PATH, verify here|source PATH,
// ready [quick] [json], report. A path is all that follows, and empty for the whole archive; `--` goes before one that
// begins with "--".
struct control_line {
  std::string verb;
  std::string how = {};    // the words between the verb and the path; empty: none
  std::string about = {};  // a path, or the rate
  bool operator==(const control_line&) const = default;
};

// A newline at the end is not a part of the command. Nothing: there is no such command.
std::optional<control_line> parse_control_line(std::string_view text);
// Without a newline.
std::string text_of(const control_line& line);

}  // namespace ferryfs::fs
