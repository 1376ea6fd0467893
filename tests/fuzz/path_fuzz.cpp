// Names and paths of any bytes: what may stand in a directory, in a message, in the name of a partial file.
#include <algorithm>

#include "index/base/hex.hpp"
#include "index/base/path.hpp"
#include "index/model/day.hpp"
#include "remote/source/temporary_name.hpp"
#include "tests/fuzz/input.hpp"

namespace {

using namespace ferryfs;
using fuzz::demand;

void try_name(std::string_view name) {
  const bool has = name.find('/') != std::string_view::npos || name.find('\0') != std::string_view::npos;
  const bool fits = !name.empty() && name.size() <= 255 && name != "." && name != "..";
  demand(valid_name(name) == (fits && !has), "a name is any bytes but a slash and NUL, 255 at most");
}

// RFC 3629, by decoding.
bool is_utf8(std::string_view s) {
  for (std::size_t i = 0; i < s.size();) {
    const auto first = static_cast<unsigned char>(s[i]);
    const std::size_t length = first < 0x80 ? 1 : first >> 5 == 6 ? 2 : first >> 4 == 14 ? 3 : first >> 3 == 30 ? 4 : 0;
    if (length == 0 || i + length > s.size()) return false;
    std::uint32_t code = length == 1 ? first : first & (0xFFU >> (length + 1));
    for (std::size_t k = 1; k < length; ++k) {
      const auto next = static_cast<unsigned char>(s[i + k]);
      if (next >> 6 != 2) return false;
      code = code << 6 | (next & 0x3FU);
    }
    constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (code < least[length] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return false;
    i += length;
  }
  return true;
}

void show(std::string_view bytes) {
  const std::string text = printable(bytes);
  demand(is_utf8(text), "a message is UTF-8");
  demand(fuzz::is_one_line(text), "a message has no control character");
  demand(text.find("\xc2\x80") == std::string::npos && text.find("\xc2\x9f") == std::string::npos, "nor one of C1");
  demand(printable(text) == text, "what is printable stays as it is");
  demand(text.size() <= 4 * bytes.size(), "a byte becomes four at most");
  const bool plain = std::all_of(bytes.begin(), bytes.end(), [](char c) { return c >= ' ' && c < 0x7F; });
  if (plain) demand(text == bytes, "plain text is shown as it is");
}

void convert(std::string_view bytes) {
  demand(from_hex(to_hex(bytes)) == bytes, "hexadecimal digits are read back");
  if (const auto back = from_hex(bytes)) demand(to_hex(*back) == bytes, "only what to_hex makes is read");
}

void nest(std::string_view directory, std::string_view name) {
  if (!valid_name(name)) return;
  const std::string path = join(directory, name);
  demand(is_at_or_below(path, directory) && is_at_or_below(path, path), "a name lies below its directory");
  if (!directory.empty() && directory.find('/') != 0) demand(!is_at_or_below(directory, path), "and not the other way");
}

void make_partial_names(std::string_view one, std::string_view other, std::string_view owner) {
  if (!valid_name(one) || !valid_name(other) || !valid_name(owner) || owner.size() > 40) return;
  const std::string a = remote::temporary_name(one, owner), b = remote::temporary_name(other, owner);
  demand(valid_name(a) && remote::is_temporary_name(a), "a partial file has a name of its kind");
  demand((a == b) == (one == other), "no two names have one partial file");
}

void find_day(std::string_view path, std::int64_t mtime) {
  const auto day = day_of(path, mtime);
  demand(day >= 19700101 && day <= 21991231 && day % 100 >= 1 && day % 100 <= 31 && day / 100 % 100 >= 1 &&
             day / 100 % 100 <= 12,
         "a day is one of the calendar");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::input in{data, size};
  const auto mtime = static_cast<std::int64_t>(in.number(8));
  const auto one = in.text(), other = in.text(), rest = in.rest();
  for (const auto text : {one, other, rest}) {
    try_name(text);
    show(text);
    convert(text);
    find_day(text, mtime);
  }
  nest(rest, one);
  make_partial_names(one, other, rest);
  return 0;
}
