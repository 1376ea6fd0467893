#include "fs/cli/since.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <iterator>

#include "index/base/error.hpp"
#include "index/base/path.hpp"

namespace ferryfs::fs {
namespace {

// The beginning, in UTC, of a day: 2026-11-23, or monday, the last one. As reports are named: 20261123T000000Z.
std::string day_named(const std::string& text) {
  std::tm t{};
  const char* end = ::strptime(text.c_str(), "%Y-%m-%d", &t);
  if (end == nullptr || *end != '\0') {
    end = ::strptime(text.c_str(), "%A", &t);
    if (end == nullptr || *end != '\0')
      throw error(exit_code::usage,
                  fmt::format("--since {}: write a report's number, a day as 2026-11-23, or monday", printable(text)));
    const int weekday = t.tm_wday;
    std::time_t now = std::time(nullptr);
    ::gmtime_r(&now, &t);
    now -= (t.tm_wday - weekday + 7) % 7 * 86400;
    ::gmtime_r(&now, &t);
  }
  return fmt::format("{:04}{:02}{:02}T000000Z", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday);
}

}  // namespace

std::optional<unsigned> number_in(const std::string& text) {
  unsigned n = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), n);
  return problem == std::errc{} && end == text.data() + text.size() ? std::optional(n) : std::nullopt;
}

report_name report_since(const history& h, const std::string& text) {
  if (const auto n = number_in(text)) return h.find(*n);
  const std::string begin = day_named(text);
  const auto all = h.names();
  if (all.empty()) throw error(exit_code::usage, "--since: there are no reports yet");
  const auto after = std::find_if(all.begin(), all.end(), [&](const auto& r) { return r.stem > begin; });
  return after == all.begin() ? all.front() : *std::prev(after);
}

}  // namespace ferryfs::fs
