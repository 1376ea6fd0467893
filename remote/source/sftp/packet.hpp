// SFTP version 3 on the wire (draft-ietf-secsh-filexfer-02): building requests, reading replies. Pure; nothing is
// trusted: a reply that is shorter than what it announces throws.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "remote/source/archive.hpp"

namespace ferryfs::remote::sftp {

enum class type : std::uint8_t {
  init = 1,
  version = 2,
  open = 3,
  close = 4,
  read = 5,
  write = 6,
  lstat = 7,
  fstat = 8,
  setstat = 9,
  fsetstat = 10,
  opendir = 11,
  readdir = 12,
  remove = 13,
  mkdir = 14,
  realpath = 16,
  stat = 17,
  rename = 18,
  readlink = 19,
  symlink = 20,
  status = 101,
  handle = 102,
  data = 103,
  name = 104,
  attrs = 105,
  extended = 200,
  extended_reply = 201,
};

enum class status : std::uint32_t {
  ok = 0,
  eof = 1,
  no_such_file = 2,
  permission_denied = 3,
  failure = 4,
  bad_message = 5,
  no_connection = 6,
  connection_lost = 7,
  unsupported = 8,
};

// A server's packet is at most this long: what the channel's window carries. OpenSSH's are at most 256 KiB; others put
// a whole directory into one.
inline constexpr std::uint32_t longest_packet = 32U << 20;

// Appends one packet to a buffer; its length field is filled in at `end`.
class builder {
 public:
  builder(std::vector<std::byte>& out, type t, std::uint32_t id);
  builder(const builder&) = delete;
  builder& operator=(const builder&) = delete;
  builder& u32(std::uint32_t value);
  builder& u64(std::uint64_t value);
  builder& string(std::string_view bytes);
  builder& bytes(std::span<const std::byte> bytes);
  // Attributes to be set.
  builder& no_attributes() { return u32(0); }
  builder& size(std::uint64_t bytes);
  builder& mode(std::uint32_t permissions);
  builder& mode_and_time(std::uint32_t permissions, std::int64_t mtime);
  void end();

 private:
  void u8(std::uint8_t value) { out_.push_back(std::byte{value}); }
  std::vector<std::byte>& out_;
  std::size_t start_;
};

// The server's bytes break the protocol; the text says how.
struct protocol_error : std::exception {
  explicit protocol_error(std::string says) : text(std::move(says)) {}
  const char* what() const noexcept override { return text.c_str(); }

  std::string text;
};

// Reads one packet, from behind its length field. Throws `protocol_error`.
class parser {
 public:
  explicit parser(std::span<const std::byte> packet) : rest_(packet) {}
  std::uint8_t u8();
  std::uint32_t u32();
  std::uint64_t u64();
  std::span<const std::byte> bytes();
  std::string_view string();
  // Words of later versions are stepped over where their length is known. Throws naming the bit of another.
  attributes attrs();
  // Throws where such words were stepped over and something is left: they were not what they were taken for.
  void end() const;
  bool empty() const noexcept { return rest_.empty(); }

 private:
  std::span<const std::byte> take(std::size_t n);
  void step_over(std::uint32_t later, attributes& a);
  std::span<const std::byte> rest_;
  bool stepped_ = false;
};

}  // namespace ferryfs::remote::sftp
