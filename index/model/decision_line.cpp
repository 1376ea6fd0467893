#include "index/model/decision_line.hpp"

#include <ctime>

namespace ferryfs::index {
namespace {

constexpr std::string_view special{"\\\t\n\r\0", 5}, letters = "\\tnr0";

std::string escaped(std::string_view path) {
  std::string text;
  for (const char c : path) {
    const auto at = special.find(c);
    if (at != std::string_view::npos) text += '\\';
    text += at == std::string_view::npos ? c : letters[at];
  }
  return text;
}

std::string plain(std::string_view field) {
  std::string path;
  for (std::size_t i = 0; i < field.size(); ++i) {
    const auto at = field[i] == '\\' && i + 1 < field.size() ? letters.find(field[i + 1]) : std::string_view::npos;
    path += at == std::string_view::npos ? field[i] : special[at];
    if (at != std::string_view::npos) ++i;
  }
  return path;
}

// Takes the text before the next tab off `line`.
std::string_view field(std::string_view& line) {
  const auto tab = line.find('\t');
  const auto text = line.substr(0, tab);
  line.remove_prefix(tab == std::string_view::npos ? line.size() : tab + 1);
  return text;
}

}  // namespace

std::string line_of(std::string_view verb, std::string_view path, std::string_view other, std::int64_t seconds) {
  const auto time = static_cast<std::time_t>(seconds);
  std::tm utc{};
  ::gmtime_r(&time, &utc);
  char when[32];
  std::string line(when, std::strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &utc));
  line.append("\t").append(verb).append("\t").append(escaped(path));
  if (!other.empty()) line.append("\t").append(escaped(other));
  return line + '\n';
}

std::optional<decision_line> parse_decision(std::string_view line) {
  decision_line d;
  d.when = field(line), d.verb = field(line);
  d.path = plain(field(line)), d.other = plain(field(line));
  if (d.when.empty() || d.verb.empty() || d.path.empty() || !line.empty()) return std::nullopt;
  return d;
}

}  // namespace ferryfs::index
