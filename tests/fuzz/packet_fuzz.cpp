// SFTP's packets: what is built is read back, and what is sent is read or is broken, with a reason.
#include <vector>

#include "index/base/path.hpp"
#include "remote/source/sftp/packet.hpp"
#include "remote/source/sftp/stray_text.hpp"
#include "tests/fuzz/input.hpp"

namespace {

using namespace ferryfs;
using namespace ferryfs::remote::sftp;
using fuzz::demand;

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

// Reads fields of the kinds that `order` says.
void read_fields(std::string_view order, std::string_view packet) {
  parser p{bytes_of(packet)};
  try {
    for (const char field : order) {
      if (field % 5 == 0) p.u8();
      if (field % 5 == 1) p.u32();
      if (field % 5 == 2) p.u64();
      if (field % 5 == 3) demand(p.string().size() <= packet.size(), "a string lies in its packet");
      if (field % 5 == 4) demand(p.attrs().size.value_or(0) <= remote::largest_size, "no size is beyond the largest");
    }
    p.end();
  } catch (const protocol_error& e) {
    demand(!e.text.empty() && fuzz::is_one_line(e.text), "what breaks the protocol is said in a line");
  }
}

void build_and_read(fuzz::input& in) {
  std::vector<std::byte> out;
  const auto t = static_cast<type>(in.byte());
  const auto id = static_cast<std::uint32_t>(in.number(4));
  const auto first = static_cast<std::uint32_t>(in.number(4)), mode = static_cast<std::uint32_t>(in.number(4));
  const auto large = in.number(8), size = in.number(8);
  const auto mtime = static_cast<std::int64_t>(in.number(8));
  const auto text = in.text(), more = in.rest();
  builder{out, t, id}
      .u32(first)
      .u64(large)
      .string(text)
      .size(size)
      .mode_and_time(mode, mtime)
      .bytes(bytes_of(more))
      .end();
  parser p{out};
  demand(p.u32() == out.size() - 4, "the length is that of the packet");
  demand(p.u8() == static_cast<std::uint8_t>(t) && p.u32() == id, "type and id are read back");
  demand(p.u32() == first && p.u64() == large && p.string() == text, "fields are read back");
  if (size > INT64_MAX) return;
  demand(p.attrs().size == std::min(size, remote::largest_size), "a size is read back");
  const auto a = p.attrs();
  demand(a.mode == (mode & 07777), "permissions are read back");
  demand(a.mtime == std::clamp<std::int64_t>(mtime, 0, INT32_MAX), "a time is read back");
  demand(p.string() == more, "bytes are read back");
  demand(p.empty(), "nothing is left");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::input in{data, size};
  switch (in.below(3)) {
    case 0:
      build_and_read(in);
      break;
    case 1: {
      const auto length = static_cast<std::uint32_t>(in.number(4));
      const std::string told = describe_stray_text(bytes_of(in.rest()), length);
      demand(!told.empty() && printable(told) == told, "what is no packet is described for a terminal");
      break;
    }
    default:
      const auto order = in.text();
      read_fields(order, in.rest());
  }
  return 0;
}
