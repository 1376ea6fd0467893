// The fields of SFTP v3 packets (draft-ietf-secsh-filexfer-02), as far as the doubles need them.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace ferryfs::test {

namespace sftp {

enum type : std::uint8_t {
  init = 1,
  version = 2,
  open = 3,
  close = 4,
  read = 5,
  lstat = 7,
  fstat = 8,
  opendir = 11,
  readdir = 12,
  realpath = 16,
  stat = 17,
  readlink = 19,
  status = 101,
  handle = 102,
  data = 103,
  name = 104,
  attrs = 105,
  extended = 200,
  extended_reply = 201,
};

enum code : std::uint32_t {
  end_of_file = 1,
  no_such_file = 2,
  permission_denied = 3,
  failure = 4,
  unsupported = 8,
};

constexpr std::uint32_t read_flag = 0x1, write_flag = 0x2;  // of OPEN

}  // namespace sftp

class packet_writer {
 public:
  explicit packet_writer(sftp::type type) { bytes_ += static_cast<char>(type); }
  packet_writer(sftp::type type, std::uint32_t id) : packet_writer(type) { u32(id); }

  packet_writer& u32(std::uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes_ += static_cast<char>(value >> shift);
    return *this;
  }
  packet_writer& u64(std::uint64_t value) {
    return u32(static_cast<std::uint32_t>(value >> 32)).u32(static_cast<std::uint32_t>(value));
  }
  packet_writer& text(std::string_view value) {
    u32(static_cast<std::uint32_t>(value.size()));
    bytes_ += value;
    return *this;
  }
  // Type, id and fields, without the length before them.
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

// Throws std::out_of_range where the packet ends too early.
class packet_reader {
 public:
  explicit packet_reader(std::string_view bytes) : rest_(bytes) {}

  std::uint8_t u8() { return static_cast<std::uint8_t>(take(1)[0]); }
  std::uint32_t u32() {
    std::uint32_t value = 0;
    for (const char byte : take(4)) value = value << 8 | static_cast<std::uint8_t>(byte);
    return value;
  }
  std::uint64_t u64() {
    const std::uint64_t high = u32();
    return high << 32 | u32();
  }
  std::string text() { return std::string(take(u32())); }
  bool empty() const { return rest_.empty(); }

 private:
  std::string_view take(std::size_t count) {
    if (count > rest_.size()) throw std::out_of_range("the packet is too short");
    const auto taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }

  std::string_view rest_;
};

}  // namespace ferryfs::test
