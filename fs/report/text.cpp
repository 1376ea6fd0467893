// Reports for people.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <stdexcept>

#include "fs/report/report.hpp"
#include "fs/text/size.hpp"

namespace ferryfs::fs {
namespace {

// In a damaged file any value may stand in its place.
std::int64_t number(const json& n) {
  if (n.is_number_unsigned())
    return static_cast<std::int64_t>(std::min<std::uint64_t>(n.get<std::uint64_t>(), INT64_MAX));
  const auto value = n.is_number_integer() ? n.get<std::int64_t>() : -1;
  if (value < 0) throw std::runtime_error("it has no number where one stands");
  return value;
}

std::string files(const json& n) { return human_count(number(n)); }
std::string size(const json& n) { return human_size(static_cast<std::uint64_t>(number(n))); }

std::string time_of(const json& time) {
  constexpr double longest = 1e15;  // s
  const auto seconds = time.get<double>();
  if (!(seconds >= -longest && seconds <= longest)) throw std::runtime_error("it has no time where one stands");
  return human_time(std::chrono::seconds(static_cast<std::int64_t>(seconds)));
}

// 2026-11-24T13:45:00Z -> 2026-11-24 13:45:00
std::string shown_time(const json& utc) {
  std::string text = utc.get<std::string>();
  if (text.size() == 20) text = text.substr(0, 10) + ' ' + text.substr(11, 8);
  return text;
}

std::string row(const char* name, const json& part) {
  const json &count = part.at("count"), &bytes = part.at("size");
  return fmt::format("{:<12} {:>11} {:>11} {:>11} {:>11}  {:>10}\n", name, files(count.at("jpg")),
                     files(count.at("raw")), files(count.at("other")), files(count.at("total")),
                     size(bytes.at("total")));
}

}  // namespace

std::string report_line(const json& r) {
  const json& job = r.at("job");
  return fmt::format("{:>5}  {}  {:<6} {:<11}  {} of {} here, {} missing, {} conflict, {} failed, {}\n",
                     r.at("report").get<unsigned>(), shown_time(job.at("completed")), job.at("name").get<std::string>(),
                     job.at("status").get<std::string>(), files(r.at("intersect").at("count").at("total")),
                     files(r.at("source").at("files").at("count").at("total")),
                     files(r.at("destination").at("missing").at("count").at("total")),
                     files(r.at("conflict").at("count")), files(r.at("failed").at("count")),
                     time_of(job.at("duration_s")));
}

std::string report_text(const json& r) {
  const json &job = r.at("job"), &source = r.at("source"), &destination = r.at("destination"), &moved = r.at("moved");
  std::string text =
      fmt::format("report       {}: {}, {}\nbegun        {} UTC, took {}\nsource       {}\ndestination  {}\n",
                  r.at("report").get<unsigned>(), job.at("name").get<std::string>(),
                  job.at("status").get<std::string>(), shown_time(job.at("started")), time_of(job.at("duration_s")),
                  source.at("url").get<std::string>(), destination.at("url").get<std::string>());
  text += fmt::format("{:<12} {:>11} {:>11} {:>11} {:>11}  {:>10}\n", "", "jpg", "raw", "other", "all", "size");
  text += row("source", source.at("files")) + row("destination", destination.at("files"));
  text += row("  common", r.at("intersect")) + row("  missing", destination.at("missing"));
  text += row("  new", source.at("missing"));
  for (const char* set : {"conflict", "failed", "deleted", "skipped", "refused", "lost"})
    if (r.contains(set)) {
      const auto line =
          fmt::format("  {:<10} {:>47}  {:>10}\n", set, files(r.at(set).at("count")), size(r.at(set).at("size")));
      if (number(r.at(set).at("count")) > 0) text += line;
    }
  text += fmt::format("moved        {} files, {}, {}/s\n", files(moved.at("files")), size(moved.at("bytes")),
                      size(moved.at("bytes_per_s")));
  for (const auto& e : r.at("errors")) text += fmt::format("error        {}\n", e.get<std::string>());
  return text;
}

}  // namespace ferryfs::fs
