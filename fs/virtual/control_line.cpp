#include "fs/virtual/control_line.hpp"

#include <algorithm>
#include <vector>

namespace ferryfs::fs {
namespace {

constexpr std::string_view end_of_options = "--";

struct command {
  std::string_view verb;
  std::vector<std::string_view> ways;  // that `how` may be, none of which begins another one but for a blank; "": none
  bool is_about;                       // a path, or a rate
};

const std::vector<command>& commands() {
  static const std::vector<command> all{{"pause", {""}, false},
                                        {"resume", {""}, false},
                                        {"limit", {""}, true},
                                        {"rescan", {"", "changed", "believe"}, false},
                                        {"progress", {"push", "verify"}, false},
                                        {"stop", {"push", "verify"}, false},
                                        {"fetch", {""}, true},
                                        {"skip", {""}, true},
                                        {"undelete", {""}, true},
                                        {"push", {"--overwritten", ""}, true},
                                        {"resolve", {"source", "destination", "both"}, true},
                                        {"verify", {"here", "source"}, true},
                                        {"ready", {"", "quick", "json", "quick json"}, false},
                                        {"report", {""}, false}};
  return all;
}

// Takes `word`, and the blank behind it, off the front of `text`. False: it does not begin with it.
bool take(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word) || (text.size() > word.size() && text[word.size()] != ' ')) return false;
  text.remove_prefix(std::min(text.size(), word.size() + 1));
  return true;
}

bool takes_options(std::string_view verb) { return verb == "push"; }

}  // namespace

std::optional<control_line> parse_control_line(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  for (const auto& c : commands()) {
    auto rest = text;
    if (!take(rest, c.verb)) continue;
    for (const auto way : c.ways) {
      auto about = rest;
      if (!way.empty() && !take(about, way)) continue;
      if (!c.is_about && !about.empty()) continue;
      if (takes_options(c.verb) && about != end_of_options) take(about, end_of_options);
      return control_line{std::string(c.verb), std::string(way), std::string(about)};
    }
  }
  return std::nullopt;
}

std::string text_of(const control_line& line) {
  std::string text = line.verb;
  if (!line.how.empty()) text += ' ' + line.how;
  if (takes_options(line.verb) && line.about.starts_with(end_of_options)) text.append(" ").append(end_of_options);
  if (!line.about.empty()) text += ' ' + line.about;
  return text;
}

}  // namespace ferryfs::fs
