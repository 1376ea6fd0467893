// Describes to the operator the text that a server sends where an SFTP packet should begin.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace ferryfs::remote::sftp {

// `from` begins with what was read as a packet's `length`: it is that, or text that a shell prints before the server
// speaks.
std::string describe_stray_text(std::span<const std::byte> from, std::uint32_t length);

// The server says that the account's password has expired or must be changed.
bool is_about_password(const std::string& text);

}  // namespace ferryfs::remote::sftp
