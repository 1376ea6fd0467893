#include "remote/source/digest/source_shell.hpp"

#include <charconv>

#include "index/base/hex.hpp"

namespace ferryfs::remote {

const std::string shell_ready = "ferryfs e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

// The file is given as standard input: then the answer holds no name, and nothing in it has to be escaped.
std::string shell_greeting() {
  return "exec 2>/dev/null; LC_ALL=C; export LC_ALL\n"
         "d() { printf '%s ' \"$1\"; if [ -f \"$2\" ] && [ ! -h \"$2\" ]; then sha256sum <\"$2\" || echo none; "
         "else echo none; fi; }\n"
         "echo ferryfs `sha256sum </dev/null`\n";
}

std::string shell_quoted(std::string_view path) {
  std::string word = "'";
  for (const char c : path) c == '\'' ? word += "'\\''" : word += c;
  return word += '\'';
}

std::string shell_question(std::uint64_t number, const std::string& absolute_path) {
  return "d " + std::to_string(number) + ' ' + shell_quoted(absolute_path) + '\n';
}

std::optional<shell_answer> parse_shell_answer(std::string_view line) {
  shell_answer a{};
  const auto [end, problem] = std::from_chars(line.data(), line.data() + line.size(), a.number);
  if (problem != std::errc{}) return std::nullopt;
  line.remove_prefix(static_cast<std::size_t>(end - line.data()));
  if (line == " none") return a;
  constexpr std::size_t digits = 64;
  if (line.size() < 1 + digits || line[0] != ' ' || (line.size() > 1 + digits && line[1 + digits] != ' '))
    return std::nullopt;
  auto sha256 = from_hex(line.substr(1, digits));
  if (!sha256) return std::nullopt;
  a.sha256 = *std::move(sha256);
  return a;
}

}  // namespace ferryfs::remote
