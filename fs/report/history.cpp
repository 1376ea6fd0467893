#include "fs/report/history.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <memory>

#include "index/base/error.hpp"
#include "index/base/path.hpp"
#include "index/query/set.hpp"

namespace ferryfs::fs {
namespace {

constexpr std::array<std::string_view, 8> kept_sets{"missing", "new",    "conflict", "deleted",
                                                    "skipped", "failed", "refused",  "lost"};
constexpr std::string_view report_end = ".json";

std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> open{::opendir(directory.c_str()), ::closedir};
  while (const dirent* d = open ? ::readdir(open.get()) : nullptr) names.emplace_back(d->d_name);
  return names;
}

// Throws where a part that is shown is not there, or is of another kind.
void check_report(const json& r, unsigned number) {
  if (r.at("report").get<unsigned>() != number) throw std::runtime_error("it is of another number");
  report_line(r);
  report_text(r);
}

}  // namespace

std::optional<report_name> parse_report_name(std::string_view stem) {
  constexpr std::string_view form = "dddddddd'T'dddddd'Z'-";
  std::size_t at = 0;
  for (const char f : form) {
    if (f == '\'') continue;
    if (at == stem.size()) return std::nullopt;
    const char c = stem[at++];
    if (f == 'd' ? c < '0' || c > '9' : c != f) return std::nullopt;
  }
  unsigned number = 0;
  const auto [end, problem] = std::from_chars(stem.data() + at, stem.data() + stem.size(), number);
  if (problem != std::errc{} || end != stem.data() + stem.size()) return std::nullopt;
  return report_name{std::string(stem), number};
}

history::history(std::string directory, std::string shown)
    : directory_(std::move(directory)), shown_(std::move(shown)) {}

std::vector<report_name> history::names() const {
  std::vector<report_name> found;
  for (const auto& name : names_in(directory_)) {
    if (!name.ends_with(report_end)) continue;
    if (auto parsed = parse_report_name(std::string_view(name).substr(0, name.size() - report_end.size())))
      found.push_back(*std::move(parsed));
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return std::pair(a.number, std::string_view(a.stem)) < std::pair(b.number, std::string_view(b.stem));
  });
  return found;
}

report_name history::find(unsigned n) const {
  for (auto& name : names())
    if (name.number == n) return name;
  throw error(exit_code::usage, fmt::format("{}: no report {}; ferryfs report PATH lists them", printable(shown_), n));
}

json history::read(const report_name& which) const {
  constexpr std::size_t most = 64 << 10;  // a report is far smaller
  const std::string name = which.stem + std::string(report_end);
  try {
    const unique_fd file{::open(path(name).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)};
    std::string text(most, '\0');
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(0, ::pread(file.get(), text.data(), most, 0))));
    json r = json::parse(text);
    check_report(r, which.number);
    return r;
  } catch (const std::exception&) {
    throw error(exit_code::local, fmt::format("{}/{}: the report is damaged; remove the file (the others are good)",
                                              printable(shown_), name));
  }
}

std::optional<gzip_lines> history::list(const report_name& which, std::string_view set) const {
  if (std::find(kept_sets.begin(), kept_sets.end(), set) == kept_sets.end())
    throw error(exit_code::usage, fmt::format("--list {} --id {}: of earlier reports only the lists of {} are kept",
                                              printable(set), which.number, fmt::join(kept_sets, " ")));
  const std::string name = fmt::format("{}.{}.gz", which.stem, set);
  unique_fd file{::open(path(name).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
  if (file) return std::optional<gzip_lines>(std::in_place, std::move(file), shown_ + '/' + name);
  if (errno == ENOENT && set != "missing") return std::nullopt;
  throw error(exit_code::local,
              fmt::format("{}/{}: {}; this list is lost", printable(shown_), name, std::strerror(errno)));
}

std::size_t next_to_go(const std::vector<kept_report>& reports) {
  std::size_t chosen = 0;
  double closest = 0;
  const std::int64_t now = reports.back().time;
  for (std::size_t i = 1; i + 1 < reports.size(); ++i) {
    if (!reports[i].automatic) continue;
    const auto gap = static_cast<double>(reports[i + 1].time - reports[i - 1].time);
    const double relative = gap / static_cast<double>(std::max<std::int64_t>(1, now - reports[i].time));
    if (chosen == 0 || relative < closest) chosen = i, closest = relative;
  }
  return chosen;
}

}  // namespace ferryfs::fs
