// The text that asks a shell on the source for digests, and the parser of its answers. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ferryfs::remote {

// The command to run there: it reads what follows as its script.
inline constexpr std::string_view shell_command = "exec sh";

// Said first. A shell that has sha256sum answers with `shell_ready`; before it may stand what login scripts print.
std::string shell_greeting();
extern const std::string shell_ready;

// `path` as one word of the shell, whatever its bytes (any but NUL).
std::string shell_quoted(std::string_view path);

// Asks for the digest of a regular file that is reached by no link under its name.
std::string shell_question(std::uint64_t number, const std::string& absolute_path);

// The answer's line, without its newline.
struct shell_answer {
  std::uint64_t number;
  std::string sha256;  // empty: it has none
};
std::optional<shell_answer> parse_shell_answer(std::string_view line);

}  // namespace ferryfs::remote
