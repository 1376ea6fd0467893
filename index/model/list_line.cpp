#include "index/model/list_line.hpp"

#include <array>
#include <charconv>

namespace ferryfs::index {

void append_line(std::string& text, std::uint64_t size, std::string_view path) {
  std::array<char, 20> digits;
  const auto [end, problem] = std::to_chars(digits.data(), digits.data() + digits.size(), size);
  (void)problem;
  text.append(digits.data(), end).push_back(' ');
  if (path.find_first_of("\\\n") == std::string_view::npos) {
    text.append(path);
  } else {
    for (const char c : path) {
      if (c == '\\' || c == '\n') text += '\\';
      text += c == '\n' ? 'n' : c;
    }
  }
  text += '\n';
}

std::optional<list_line> parse_line(std::string_view line) {
  list_line l{};
  const auto [end, problem] = std::from_chars(line.data(), line.data() + line.size(), l.size);
  if (problem != std::errc{} || end == line.data() + line.size() || *end != ' ') return std::nullopt;
  line.remove_prefix(static_cast<std::size_t>(end - line.data()) + 1);
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] != '\\') {
      l.path += line[i];
    } else if (++i == line.size() || (line[i] != '\\' && line[i] != 'n')) {
      return std::nullopt;
    } else {
      l.path += line[i] == 'n' ? '\n' : '\\';
    }
  }
  return l.path.empty() ? std::nullopt : std::optional(std::move(l));
}

}  // namespace ferryfs::index
