// Names and paths are bytes: any but '/' and NUL. A path is relative to the archive's root, without a leading or
// trailing '/'; the root is the empty path.
#pragma once

#include <string>
#include <string_view>

namespace ferryfs {

// Linux refuses longer names with ENAMETOOLONG (NAME_MAX in linux/limits.h).
inline constexpr std::size_t longest_name = 255;

// The directory that ferryfs keeps in the destination's root. In the mount a virtual directory has that name.
inline constexpr std::string_view own_directory = ".ferryfs";

// True if `name` can stand in a directory: not empty, not "." or "..", no '/' or NUL, at most 255 bytes.
bool valid_name(std::string_view name) noexcept;

std::string join(std::string_view directory, std::string_view name);

// Whether `path` is `top`, or lies below it; below "" is all. Both are relative, or both as real_path has them.
bool is_at_or_below(std::string_view path, std::string_view top) noexcept;

// An absolute path without symbolic links, "." or ".." as far as it exists, and without a '/' at its end.
std::string real_path(const std::string& path);

// The text of a path for a message, a log line or a terminal: what ends a line or controls how text is shown, and
// invalid UTF-8, stand as \xNN.
std::string printable(std::string_view bytes);

}  // namespace ferryfs
