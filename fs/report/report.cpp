#include "fs/report/report.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>

#include "index/base/path.hpp"
#include "index/query/completeness.hpp"
#include "index/query/file_kinds.hpp"

namespace ferryfs::fs {
namespace {

using totals_by_kind = std::array<index::totals, index::all_file_kinds.size()>;

// {"count":{"jpg":…,"raw":…,"other":…,"total":…},"size":{…}}
template <typename Of>
json by_kind(const totals_by_kind& kinds, Of&& of, bool on_source) {
  json count, size;
  index::total sum;
  const auto bytes = [on_source](const index::total& t) { return on_source ? t.source_bytes : t.local_bytes; };
  for (const auto k : index::all_file_kinds) {
    const index::total t = of(kinds.at(static_cast<std::size_t>(k)));
    const std::string name{index::name_of(k)};
    count[name] = t.files, size[name] = bytes(t);
    sum += t;
  }
  count["total"] = sum.files, size["total"] = bytes(sum);
  return {{"count", count}, {"size", size}};
}

json of_state(const index::totals& all, state s) {
  return {{"count", all.of(s).files}, {"size", all.of(s).source_bytes}};
}

std::uint64_t mixed(std::uint64_t hash, std::string_view text) {  // FNV-1a
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  return hash;
}

// Of all that a report tells but of times. New rows count by themselves, so that one picture for another is no zero.
std::string fingerprint(const json& report, std::int64_t last_inode) {
  std::uint64_t hash = mixed(0xCBF29CE484222325, std::to_string(last_inode));
  for (const char* part :
       {"source", "destination", "intersect", "conflict", "failed", "deleted", "skipped", "refused", "lost", "errors"})
    hash = mixed(hash, report.at(part).dump(-1, ' ', false, json::error_handler_t::replace));
  hash = mixed(hash, report["job"]["status"].get<std::string>());
  return fmt::format("{:016x}", hash);
}

json errors_of(index::reader& r, const job& j) {
  constexpr int most = 8;
  json list = json::array();
  for (const auto& text : j.errors)
    if (list.size() < most) list.push_back(printable(text));
  for (const auto& f : r.worst(most)) {
    if (list.size() >= most) break;
    list.push_back(
        fmt::format("{}: {} (tried {} times)", printable(r.path(f.ino).value_or("")), printable(f.error), f.attempts));
  }
  return list;
}

std::size_t written_length(const std::string& text) { return json(text).dump().size() - 2; }

// Cuts `text`, which is UTF-8, so that as JSON writes it, with the mark, it is at most `at_most` bytes long.
std::string cut(std::string text, std::size_t at_most) {
  if (written_length(text) <= at_most) return text;
  constexpr std::string_view mark = "…";
  text.resize(std::min(text.size(), at_most));  // JSON needs a byte for each at least
  while (!text.empty() && static_cast<unsigned char>(text.back()) >= 0x80) text.pop_back();  // a character cut in two
  while (!text.empty() && written_length(text) + mark.size() > at_most) {
    do text.pop_back();
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0) == 0x80);
    if (!text.empty() && static_cast<unsigned char>(text.back()) >= 0xC0) text.pop_back();
  }
  return text.append(mark);
}

}  // namespace

std::string utc_text(wall_clock::time_point t) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(wall_clock::to_time_t(t)));
}

json make_report(index::reader& r, const job& j, unsigned number) {
  const auto kinds = index::read_totals_by_kind(r);
  const auto all = r.totals();
  const auto lost = r.lost_totals();
  const auto of = [](state s) { return [s](const index::totals& t) { return t.of(s); }; };
  const auto source = [](const index::totals& t) { return t.source(); };
  const auto destination = [](const index::totals& t) { return t.destination(); };
  const double seconds = std::chrono::duration<double>(j.ended - j.begun).count();
  const double moving = std::chrono::duration<double>(j.ended - j.moved_since).count();
  const auto rate = [&](std::uint64_t n) { return moving > 0 ? static_cast<double>(n) / moving : 0.0; };
  const auto rounded = [](double d) { return static_cast<double>(static_cast<std::int64_t>(d * 10)) / 10; };

  json report{{"report", number}};
  report["job"] = {{"name", printable(j.name)},
                   {"status", !j.status.empty()                        ? printable(j.status)
                              : index::read_completeness(r).complete() ? "complete"
                                                                       : "incomplete"},
                   {"direction", j.back ? "destination to source" : "source to destination"},
                   {"automatic", j.automatic},
                   {"started", utc_text(j.begun)},
                   {"completed", utc_text(j.ended)},
                   {"duration_s", rounded(seconds)}};
  report["source"] = {{"url", printable(j.source)},
                      {"files", by_kind(kinds, source, true)},
                      {"missing", by_kind(kinds, of(state::added), false)}};
  report["destination"] = {{"url", printable(j.destination)},
                           {"files", by_kind(kinds, destination, false)},
                           {"missing", by_kind(kinds, of(state::missing), true)}};
  report["intersect"] = by_kind(kinds, of(state::common), true);
  for (const state s : {state::conflict, state::failed, state::deleted, state::skipped, state::refused})
    report[std::string(name_of(s))] = of_state(all, s);
  report["lost"] = {{"count", lost.files}, {"size", lost.bytes}};
  report["moved"] = {{"files", j.files},
                     {"bytes", j.bytes},
                     {"since", utc_text(j.moved_since)},
                     {"files_per_s", rounded(rate(j.files))},
                     {"bytes_per_s", static_cast<std::uint64_t>(rate(j.bytes))}};
  report["errors"] = errors_of(r, j);
  report["fingerprint"] = fingerprint(report, r.last_inode());
  return report;
}

std::string report_file(json report) {
  constexpr std::size_t longest_url = 400, longest_error = 300, longest_word = 40;
  for (const char* side : {"source", "destination"})
    report[side]["url"] = cut(report[side]["url"].get<std::string>(), longest_url);
  for (const char* word : {"name", "status"})
    report["job"][word] = cut(report["job"][word].get<std::string>(), longest_word);
  json errors = json::array();
  std::swap(errors, report["errors"]);
  const auto written = [&] {
    std::string text;
    for (const auto& [key, value] : report.items())
      text += fmt::format("{}{}: {}", text.empty() ? "{\n  " : ",\n  ", json(key).dump(), value.dump());
    return text + "\n}\n";
  };
  std::string text = written();
  for (const auto& e : errors) {
    report["errors"].push_back(cut(e.get<std::string>(), longest_error));
    std::string more = written();
    if (more.size() >= largest_report) break;
    text = std::move(more);
  }
  return text;
}

}  // namespace ferryfs::fs
