#include "index/model/day.hpp"

#include <chrono>
#include <optional>

namespace ferryfs {
namespace {

std::optional<int> number(std::string_view text) {
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

std::optional<std::int32_t> day(int year, int month, int day_of_month) {
  using namespace std::chrono;
  const year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                            std::chrono::day{static_cast<unsigned>(day_of_month)}};
  if (year < 1970 || year > 2199 || !date.ok()) return std::nullopt;
  return year * 10000 + month * 100 + day_of_month;
}

// "20260131…" names a day by itself.
std::optional<std::int32_t> day_in(std::string_view component) {
  if (component.size() < 8) return std::nullopt;
  const auto digits = number(component.substr(0, 8));
  if (!digits) return std::nullopt;
  return day(*digits / 10000, *digits / 100 % 100, *digits % 100);
}

std::int32_t day_of_time(std::int64_t seconds) {
  using namespace std::chrono;
  constexpr std::int64_t limit = 6'000'000'000;  // beyond the year 2160 a server's clock means nothing
  if (seconds < 0 || seconds > limit) return 19700101;
  const year_month_day date{floor<days>(sys_seconds{std::chrono::seconds{seconds}})};
  return static_cast<int>(date.year()) * 10000 + static_cast<int>(static_cast<unsigned>(date.month())) * 100 +
         static_cast<int>(static_cast<unsigned>(date.day()));
}

}  // namespace

std::int32_t day_of(std::string_view path, std::int64_t mtime) noexcept {
  std::optional<std::int32_t> found;
  std::string_view before_last, last;  // the two components before the current one
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view component = path.substr(0, slash);
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
    if (const auto named = day_in(component)) {
      found = named;
    } else if (before_last.size() == 4 && last.size() == 2 && component.size() >= 2) {
      const auto year = number(before_last), month = number(last), day_of_month = number(component.substr(0, 2));
      if (year && month && day_of_month)
        if (const auto split = day(*year, *month, *day_of_month)) found = split;
    }
    before_last = last;
    last = component;
  }
  return found ? *found : day_of_time(mtime);
}

}  // namespace ferryfs
