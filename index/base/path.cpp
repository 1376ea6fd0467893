#include "index/base/path.hpp"

#include <fmt/format.h>

#include <filesystem>

namespace ferryfs {

bool valid_name(std::string_view name) noexcept {
  return !name.empty() && name != "." && name != ".." && name.size() <= longest_name &&
         name.find('/') == std::string_view::npos && name.find('\0') == std::string_view::npos;
}

std::string join(std::string_view directory, std::string_view name) {
  if (directory.empty()) return std::string(name);
  std::string path;
  path.reserve(directory.size() + 1 + name.size());
  path.append(directory).append(1, '/').append(name);
  return path;
}

bool is_at_or_below(std::string_view path, std::string_view top) noexcept {
  return top.empty() || path == top || (path.starts_with(top) && (top == "/" || path[top.size()] == '/'));
}

std::string real_path(const std::string& path) {
  namespace stdfs = std::filesystem;
  std::string real = stdfs::weakly_canonical(stdfs::absolute(path)).string();
  while (real.size() > 1 && real.ends_with('/')) real.pop_back();
  return real;
}

namespace {

// Length of the valid UTF-8 sequence at the front of `s` (RFC 3629), or 0 if there is none.
std::size_t utf8_length(std::string_view s) {
  auto byte = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  auto follows = [&](std::size_t i) { return i < s.size() && (byte(i) & 0xC0) == 0x80; };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first < 0xE0) return follows(1) ? 2 : 0;
  if (first >= 0xE0 && first < 0xF0) {
    if (!follows(1) || !follows(2)) return 0;
    const bool overlong = first == 0xE0 && byte(1) < 0xA0;
    const bool surrogate = first == 0xED && byte(1) >= 0xA0;
    return overlong || surrogate ? 0 : 3;
  }
  if (first >= 0xF0 && first < 0xF5) {
    if (!follows(1) || !follows(2) || !follows(3)) return 0;
    const bool overlong = first == 0xF0 && byte(1) < 0x90;
    const bool beyond = first == 0xF4 && byte(1) >= 0x90;
    return overlong || beyond ? 0 : 4;
  }
  return 0;
}

// U+2028 and U+2029 end a line; U+200E, U+200F, U+202A to U+202E and U+2066 to U+2069 turn text around.
bool turns_text(std::string_view s) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  if (byte(0) != 0xE2) return false;
  const unsigned char second = byte(1), third = byte(2);
  if (second == 0x80) return third == 0x8E || third == 0x8F || (third >= 0xA8 && third <= 0xAE);
  return second == 0x81 && third >= 0xA6 && third <= 0xA9;
}

}  // namespace

std::string printable(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    const std::size_t length = utf8_length(bytes);
    const auto first = static_cast<unsigned char>(bytes[0]);
    const bool control = length == 1 && (first < 0x20 || first == 0x7F);
    const bool control_c1 = length == 2 && first == 0xC2 && static_cast<unsigned char>(bytes[1]) < 0xA0;
    if (length == 0 || control || control_c1 || (length == 3 && turns_text(bytes))) {
      text += fmt::format("\\x{:02x}", first);
      bytes.remove_prefix(1);
    } else {
      text.append(bytes.substr(0, length));
      bytes.remove_prefix(length);
    }
  }
  return text;
}

}  // namespace ferryfs
