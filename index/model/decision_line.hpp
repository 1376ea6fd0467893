// A decision as a line of text: TIME, a verb and its one or two paths, separated by tabs. In a path \\ \t \n \r \0
// stand for a backslash, tab, newline, carriage return and zero byte. scripts/check-migration reads the same lines.
//   deleted PATH                 removed through the mount, or replaced there by another that was renamed to its name
//   renamed PATH NEW-PATH        exchanged PATH PATH
//   skipped PATH                 also a directory that can't be listed, or a name that can't stand here
//   wanted PATH                  it is fetched after all
//   undeleted PATH               PATH as the source has it
//   accepted-link PATH TARGET    the source's link is taken over while it has that target
//   kept-destination PATH        kept-source PATH        kept-both PATH NAME-OF-THE-SOURCE'S
//   reopened PATH                what was decided of the source's is over: it became another, or was sent from here
// Lines are kept for entries that the source has; of the others the disk holds all there is to know.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ferryfs::index {

struct decision_line {
  std::string when;  // in UTC, as 2026-11-27T18:00:00Z
  std::string verb, path, other;
};

// The line with its newline. `seconds`: since 1970.
std::string line_of(std::string_view verb, std::string_view path, std::string_view other, std::int64_t seconds);

// Nothing: it is no such line. `line` has no newline.
std::optional<decision_line> parse_decision(std::string_view line);

}  // namespace ferryfs::index
