#include "fs/text/size.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>

namespace ferryfs::fs {

std::optional<std::uint64_t> parse_size(std::string_view text) {
  if (text.empty() || text[0] < '0' || text[0] > '9') return std::nullopt;
  const std::string copy{text};
  char* end = nullptr;
  double value = std::strtod(copy.c_str(), &end);
  std::string_view unit = text.substr(static_cast<std::size_t>(end - copy.c_str()));
  constexpr std::string_view units = "KMGT";
  if (!unit.empty()) {
    const char letter = static_cast<char>(unit[0] & ~0x20);
    const auto power = units.find(letter);
    if (power != std::string_view::npos) {
      value *= std::pow(1024.0, static_cast<double>(power + 1));
      unit.remove_prefix(1);
      if (unit.starts_with("iB") || unit.starts_with("ib")) unit.remove_prefix(2);
    }
    if (unit == "B" || unit == "b") unit.remove_prefix(1);
  }
  if (!unit.empty() || !std::isfinite(value) || value > 9e18) return std::nullopt;
  return static_cast<std::uint64_t>(value);
}

std::string human_size(std::uint64_t bytes) {
  constexpr const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < std::size(units)) value /= 1024, ++unit;
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.{}f} {}", value, value < 10 ? 2 : 1, units[unit]);
}

std::string human_time(std::chrono::seconds time) {
  const auto s = time.count();
  if (s < 60) return fmt::format("{} s", s);
  if (s < 3600) return fmt::format("{} min {:02} s", s / 60, s % 60);
  if (s < 48 * 3600) return fmt::format("{} h {:02} min", s / 3600, s / 60 % 60);
  return fmt::format("{} days {} h", s / 86400, s / 3600 % 24);
}

std::string human_count(std::int64_t n) {
  std::string digits = std::to_string(n);
  for (std::size_t at = digits.size(); at > (n < 0 ? 4U : 3U);) digits.insert(at -= 3, 1, ',');
  return digits;
}

std::string counted(std::int64_t n, std::string_view one, std::string_view more) {
  return n == 1 ? fmt::format("1 {}", one) : fmt::format("{} {}", human_count(n), more);
}

}  // namespace ferryfs::fs
