// What libFuzzer gives to one run, taken apart into the choices that a target makes; and what a target demands.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace ferryfs::fuzz {

// Bytes that are not there are zero, and texts then empty.
class input {
 public:
  input(const std::uint8_t* data, std::size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}

  bool empty() const noexcept { return rest_.empty(); }
  std::uint8_t byte() {
    const auto taken = take(1);
    return taken.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(taken[0]);
  }
  // Below `n`, which is at most 256.
  std::size_t below(std::size_t n) { return byte() % n; }
  bool flag() { return below(2) == 1; }
  std::uint64_t number(std::size_t bytes) {
    std::uint64_t value = 0;
    for (; bytes > 0; --bytes) value = value << 8 | byte();
    return value;
  }
  // As long as its first byte says.
  std::string_view text() { return take(byte()); }
  std::string_view rest() { return take(rest_.size()); }

 private:
  std::string_view take(std::size_t n) {
    const auto taken = rest_.substr(0, n);
    rest_.remove_prefix(taken.size());
    return taken;
  }
  std::string_view rest_;
};

// Ends the process, which is a finding. `what`: the rule that is broken.
inline void demand(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

// A line that a terminal or a log may show.
inline bool is_one_line(std::string_view text) {
  for (const char c : text)
    if ((c >= 0 && c < 0x20) || c == 0x7f) return false;
  return true;
}

}  // namespace ferryfs::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
