#include "remote/source/sftp/stray_text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "index/base/path.hpp"

namespace ferryfs::remote::sftp {

bool is_about_password(const std::string& text) {
  return text.find("assword") != std::string::npos &&
         (text.find("xpired") != std::string::npos || text.find("change") != std::string::npos);
}

std::string describe_stray_text(std::span<const std::byte> from, std::uint32_t length) {
  std::string text;
  for (const std::byte b : from.first(std::min<std::size_t>(from.size(), 200))) {
    const auto c = static_cast<char>(b);
    if (c != '\n' && c != '\r' && c != '\t' && c != '\x1b' && (c < ' ' || c > '~')) break;
    text += c;
  }
  // As little as an empty line stands out before a short packet's length, which begins with zero bytes.
  const bool is_before_packet = from.size() > text.size() + 1 && from[text.size()] == std::byte{0} &&
                                from[text.size() + 1] == std::byte{0} && !text.empty();
  if (text.size() < 4 && !is_before_packet) return fmt::format("a packet of {} bytes", length);
  if (const auto end = text.find_first_of("\r\n"); end != std::string::npos && end > 0) text.resize(end);
  if (text.find_first_not_of("\r\n\t ") == std::string::npos) text = "an empty line";
  if (is_about_password(text))
    return fmt::format("it says '{}': the account's password has expired, or must be changed; log in once by hand",
                       printable(text));
  return fmt::format(
      "it sends the text '{}' first; a shell's start-up file (.bashrc, .profile, /etc/bash.bashrc) must print "
      "nothing where no terminal is, and the account's shell must be one",
      printable(text));
}

}  // namespace ferryfs::remote::sftp
