// A line of a list: "SIZE PATH\n". It stays one line whatever the path holds: a backslash stands as \\ and a newline as
// \n, as in the output of ls -b; every other byte stands as it is. Lists are sorted by the paths, not by the lines.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ferryfs::index {

struct list_line {
  std::uint64_t size;  // bytes
  std::string path;
};

void append_line(std::string& text, std::uint64_t size, std::string_view path);
// `line` without its newline; nothing if it is no such line.
std::optional<list_line> parse_line(std::string_view line);

}  // namespace ferryfs::index
