#include "remote/source/sftp/packet.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace ferryfs::remote::sftp {
namespace {

constexpr std::uint32_t has_size = 1, has_ids = 2, has_permissions = 4, has_times = 8, has_extended = 0x80000000;
constexpr std::uint32_t version_3 = has_size | has_ids | has_permissions | has_times | has_extended;

// Words of version 4 to 6 (draft-ietf-secsh-filexfer-13, 7.1), in their order on the wire, as far as their length is
// the same in each of them. Of 0x200 (BITS) it is not, and 0x80 (OWNERGROUP), 0x100 (SUBSECOND_TIMES) and 0x400
// (ALLOCATION_SIZE) change or stand between what version 3 knows.
enum class word { of_8_bytes, mtime, string, of_4_bytes, of_1_byte };
struct later_word {
  std::uint32_t bit;
  word what;
};
constexpr later_word later_words[] = {
    {0x10, word::of_8_bytes},    // CREATETIME
    {0x20, word::mtime},         // MODIFYTIME
    {0x8000, word::of_8_bytes},  // CTIME
    {0x40, word::string},        // ACL
    {0x800, word::of_1_byte},    // TEXT_HINT
    {0x1000, word::string},      // MIME_TYPE
    {0x2000, word::of_4_bytes},  // LINK_COUNT
    {0x4000, word::string},      // UNTRANSLATED_NAME
};

}  // namespace

builder::builder(std::vector<std::byte>& out, type t, std::uint32_t id) : out_(out), start_(out.size()) {
  u32(0);
  u8(static_cast<std::uint8_t>(t));
  u32(id);
}

builder& builder::u32(std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) u8(static_cast<std::uint8_t>(value >> shift));
  return *this;
}

builder& builder::u64(std::uint64_t value) {
  return u32(static_cast<std::uint32_t>(value >> 32)).u32(static_cast<std::uint32_t>(value));
}

builder& builder::string(std::string_view text) { return bytes(std::as_bytes(std::span(text))); }

builder& builder::bytes(std::span<const std::byte> bytes) {
  u32(static_cast<std::uint32_t>(bytes.size()));
  out_.insert(out_.end(), bytes.begin(), bytes.end());
  return *this;
}

builder& builder::size(std::uint64_t bytes) { return u32(has_size).u64(bytes); }
builder& builder::mode(std::uint32_t permissions) { return u32(has_permissions).u32(permissions & 07777); }

builder& builder::mode_and_time(std::uint32_t permissions, std::int64_t mtime) {
  // Servers read the 32 bits with a sign or without one; up to 2038 both are the same.
  const auto seconds = static_cast<std::uint32_t>(std::clamp<std::int64_t>(mtime, 0, INT32_MAX));
  return u32(has_permissions | has_times).u32(permissions & 07777).u32(seconds).u32(seconds);
}

void builder::end() {
  const auto length = static_cast<std::uint32_t>(out_.size() - start_ - 4);
  for (std::size_t i = 0; i < 4; ++i) out_[start_ + i] = static_cast<std::byte>(length >> (24 - 8 * i));
}

std::span<const std::byte> parser::take(std::size_t n) {
  if (n > rest_.size()) throw protocol_error{fmt::format("a packet ends {} bytes early", n - rest_.size())};
  const auto taken = rest_.first(n);
  rest_ = rest_.subspan(n);
  return taken;
}

std::uint8_t parser::u8() { return static_cast<std::uint8_t>(take(1)[0]); }

std::uint32_t parser::u32() {
  std::uint32_t value = 0;
  for (const std::byte b : take(4)) value = value << 8 | static_cast<std::uint32_t>(b);
  return value;
}

std::uint64_t parser::u64() {
  const std::uint64_t high = u32();
  return high << 32 | u32();
}

std::span<const std::byte> parser::bytes() { return take(u32()); }

std::string_view parser::string() {
  const auto b = bytes();
  return {reinterpret_cast<const char*>(b.data()), b.size()};
}

attributes parser::attrs() {
  attributes a;
  const std::uint32_t flags = u32();
  if (flags & has_size) a.size = u64();
  if (flags & has_ids) u32(), u32();
  if (flags & has_permissions) a.mode = u32();
  // The draft says nothing of a sign; a picture of 1965 is seen, one of 2101 is not.
  if (flags & has_times) u32(), a.mtime = static_cast<std::int32_t>(u32());
  if (const std::uint32_t later = flags & ~version_3; later != 0) step_over(later, a);
  if (flags & has_extended)
    for (std::uint32_t left = u32(); left > 0; --left) bytes(), bytes();
  if (a.size > static_cast<std::uint64_t>(INT64_MAX)) throw protocol_error{fmt::format("a file of {} bytes", *a.size)};
  if (a.size) a.size = std::min(*a.size, largest_size);
  return a;
}

void parser::step_over(std::uint32_t later, attributes& a) {
  stepped_ = true;
  for (const auto& [bit, what] : later_words) {
    if ((later & bit) == 0) continue;
    later &= ~bit;
    switch (what) {
      case word::of_8_bytes:
        u64();
        break;
      case word::mtime:
        a.mtime = static_cast<std::int64_t>(u64());
        break;
      case word::string:
        bytes();
        break;
      case word::of_4_bytes:
        u32();
        break;
      case word::of_1_byte:
        u8();
        break;
    }
  }
  if (later != 0)
    throw protocol_error{
        fmt::format("attributes with the bit {:#x}, which version 3 does not have", later & (~later + 1))};
}

void parser::end() const {
  if (stepped_ && !rest_.empty())
    throw protocol_error{fmt::format("{} bytes too many after attributes of a later version", rest_.size())};
}

}  // namespace ferryfs::remote::sftp
