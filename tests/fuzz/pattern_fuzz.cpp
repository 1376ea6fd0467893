// --exclude: patterns are taken or refused, and match what their description says.
#include <sys/stat.h>

#include <array>

#include "index/base/error.hpp"
#include "index/base/path.hpp"
#include "remote/source/filter.hpp"
#include "tests/fuzz/input.hpp"

namespace {

using namespace ferryfs;
using fuzz::demand;

// A pattern of letters, '*' and '?' alone; neither stands for a slash.
bool matches(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '*') {
    for (std::size_t n = 0; n <= text.size() && (n == 0 || text[n - 1] != '/'); ++n)
      if (matches(pattern.substr(1), text.substr(n))) return true;
    return false;
  }
  return !text.empty() && (pattern[0] == '?' ? text[0] != '/' : pattern[0] == text[0]) &&
         matches(pattern.substr(1), text.substr(1));
}

bool should_exclude(std::string_view pattern, const std::string& directory, const std::string& name,
                    bool is_directory) {
  if (pattern.ends_with('/')) {
    if (!is_directory) return false;
    pattern.remove_suffix(1);
  }
  if (pattern.find('/') == std::string_view::npos) return matches(pattern, name);
  const std::string path = join(directory, name);
  if (pattern.starts_with('/')) return matches(pattern.substr(1), path);
  if (matches(pattern, path)) return true;
  for (std::size_t at = path.find('/'); at != std::string::npos; at = path.find('/', at + 1))
    if (matches(pattern, std::string_view(path).substr(at + 1))) return true;
  return false;
}

bool is_simple(std::string_view pattern) {
  std::size_t stars = 0;
  for (const char c : pattern) {
    if (c == '[' || c == '\\') return false;
    if (c == '*') ++stars;
  }
  return stars <= 3;
}

std::string without_nul(std::string_view text) {
  std::string t{text};
  std::erase(t, '\0');
  return t;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::input in{data, size};
  const bool is_directory = in.flag();
  const std::string profile = std::array{"generic", "webcampak", "other"}.at(in.below(8) < 6 ? 0 : 1 + in.below(2));
  const std::string directory = without_nul(in.text()), name{in.text()};
  if (!valid_name(name) || directory.starts_with('/') || directory.ends_with('/')) return 0;
  std::vector<std::string> patterns;
  while (!in.empty() && patterns.size() < 4) patterns.push_back(without_nul(in.text()));
  try {
    const remote::filter f{patterns, profile};
    const remote::directory_entry e{name, {is_directory ? S_IFDIR | 0755U : S_IFREG | 0644U, 1, 1'000}, ""};
    const bool excludes = f.excludes(directory, e);
    if (profile != "generic" || remote::filter({}, profile).excludes(directory, e)) return 0;
    bool should = false;
    for (const auto& p : patterns) {
      if (!is_simple(p)) return 0;
      should = should || should_exclude(p, directory, name, is_directory);
    }
    demand(excludes == should, "a pattern leaves out what it says");
  } catch (const error& e) {
    demand(e.code() == exit_code::usage && fuzz::is_one_line(e.what()), "what is no pattern is refused in a line");
  }
  return 0;
}
