#include "fs/report/status.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ctime>

#include "fs/process/capabilities_json.hpp"
#include "fs/process/settings_json.hpp"
#include "fs/process/switches.hpp"
#include "fs/text/size.hpp"
#include "index/base/clock.hpp"
#include "index/base/path.hpp"
#include "index/query/completeness.hpp"

namespace ferryfs::fs {
namespace {

constexpr std::size_t most_active = 16;  // transfers shown
constexpr int most_failures = 3;
constexpr std::int64_t soon = 30;  // seconds, the pause after the first failure of a picture

json count(std::int64_t files, std::int64_t bytes) { return {{"files", files}, {"bytes", bytes}}; }

json of_state(const index::totals& t, state s) {
  const auto& sum = t.of(s);
  const bool here = s == state::added;
  return count(sum.files, here ? sum.local_bytes : sum.source_bytes);
}

// The first few, with their reasons.
json failures_of(index::reader& r, const index::totals& t) {
  json list = json::array();
  if (t.of(state::failed).files == 0) return list;
  for (const auto& f : r.worst(most_failures))
    list.push_back({{"path", printable(r.path(f.ino).value_or("?"))}, {"reason", printable(f.error)}});
  return list;
}

// Whether a failure is tried again in a moment, or ends by itself.
bool retries_soon(index::reader& r, const index::totals& t) {
  if (t.of(state::failed).files == 0) return false;
  bool any = r.has_changing();
  r.failures(wall_seconds() + soon, 1, [&](const entry&) { any = true; });
  return any;
}

json status_of_rows(index::reader& r) {
  const auto all = index::read_completeness(r);
  const index::totals& t = all.sums;
  const auto source = t.source(), local = t.destination();
  const auto last_scan = r.meta("last_scan");
  json j;
  const auto settings = read_settings(r.meta).value_or(remote::settings{});
  j["source"] = {
      {"url", printable(settings.source)},
      {"reachable", nullptr},
      {"files", source.files},
      {"bytes", source.source_bytes},
      {"last_scan",
       last_scan ? json(fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::stoll(*last_scan)))) : json()}};
  j["destination"] = count(local.files, local.local_bytes);
  for (const state s : all_states) j[std::string(name_of(s))] = of_state(t, s);
  const auto lost = r.lost_totals();
  j["lost"] = count(lost.files, lost.bytes);
  // Links that lead out, and names that can't be stored here.
  j["refused"]["files"] = t.of(state::refused).files + all.refused_names;
  j["transfer"] = {{"paused", is_paused(r.meta)},        {"limit", settings.limit}, {"rate", 0}, {"eta_s", nullptr},
                   {"retries_soon", retries_soon(r, t)}, {"active", json::array()}};
  j["failures"] = failures_of(r, t);
  j["unlisted"] = count(all.unlisted, 0);
  j["suspicious"] = all.suspicious.empty() ? json() : json(printable(all.suspicious));
  j["complete"] = all.complete();
  j["disk"] = read_capabilities(r);
  return j;
}

std::string sum(const json& j) {
  return fmt::format("{:>12}  {:>10}", human_count(j["files"].get<std::int64_t>()),
                     human_size(j["bytes"].get<std::uint64_t>()));
}

// Shows 100 % for a complete archive only.
std::string share_text(const json& s) {
  if (s["source"]["bytes"].get<std::uint64_t>() == 0) return "nothing is known of the source yet";
  const double share = s["complete"].get<bool>() ? 100 : std::min(share_here(s), 99.9);
  return fmt::format("{:.1f} % is here", share);
}

std::string transfer_text(const json& s) {
  const json& t = s["transfer"];
  if (t["paused"].get<bool>()) return "paused";
  if (!s.value("suspicious", json()).is_null()) return "waits: the source is not believed";
  if (s["complete"].get<bool>() && t.value("active", json::array()).empty()) return "nothing left to do";
  if (s["source"].value("reachable", json()) == json(false)) return "waits for the source";
  if (t.contains("blocked")) return "blocked";
  std::string text = human_size(t["rate"].get<std::uint64_t>()) + "/s";
  if (const auto limit = t.value("limit", std::uint64_t{0}); limit > 0)
    text += fmt::format(" (limit {}/s)", human_size(limit));
  if (!t["eta_s"].is_null()) text += ", " + human_time(std::chrono::seconds(t["eta_s"].get<std::int64_t>())) + " left";
  return text;
}

}  // namespace

double share_here(const json& s) {
  // Of a source that tells no sizes, they are counted.
  const char* what = s["source"]["bytes"].get<double>() == 0 ? "files" : "bytes";
  const auto total = s["source"][what].get<double>();
  return total == 0 ? 100 : 100 * s["common"][what].get<double>() / total;
}

json status_of(index::reader& r) { return status_of_rows(r); }

json status_of(remote::migration& m) {
  json j = status_of_rows(*m.readers().borrow());
  const auto health = m.source().state();
  j["source"]["reachable"] = health.reachable;
  if (!health.reachable) j["source"]["why"] = printable(health.why);
  const auto scan = m.scan_state();
  j["source"]["scanning"] = scan.running;
  json& transfer = j["transfer"];
  const std::uint64_t rate = m.fetch().throughput().rate;
  transfer["paused"] = m.limit().holds();
  transfer["limit"] = m.limit().rate();
  transfer["rate"] = rate;
  const auto left = j["missing"]["bytes"].get<std::uint64_t>() + j["failed"]["bytes"].get<std::uint64_t>();
  if (rate > 0) transfer["eta_s"] = left / rate;
  if (const auto why = m.replicate().blocked_by(); !why.empty()) transfer["blocked"] = printable(why);
  const auto waiting = m.replicate().waiting();
  transfer["waiting_for_room"] = {{"files", waiting.files}, {"bytes", waiting.bytes}};
  transfer["not_kept"] = {{"reads", m.fetch().direct_read_count()}, {"bytes", m.fetch().direct_read_bytes()}};
  for (const auto& p : m.fetch().active(most_active))
    transfer["active"].push_back({{"path", printable(p.path)}, {"bytes", p.size}, {"demanded", p.demanded}});
  if (scan.running) j["complete"] = false;
  return j;
}

std::string status_text(const json& s) {
  const json& source = s["source"];
  std::string reach = source["reachable"].is_null()     ? "not connected"
                      : source["reachable"].get<bool>() ? "reachable"
                                                        : "UNREACHABLE";
  if (source.contains("why")) reach += ": " + source["why"].get<std::string>();
  if (source.value("scanning", false)) reach += ", being scanned";
  std::string text =
      fmt::format("source       {}\n             {}, last scan {}\n", source["url"].get<std::string>(), reach,
                  source["last_scan"].is_null() ? "never" : source["last_scan"].get<std::string>());
  text += fmt::format("{:<12} {:>12}  {:>10}\n", "", "pictures", "size");
  text += fmt::format("{:<12} {}\n{:<12} {}\n", "source", sum(source), "destination", sum(s["destination"]));
  for (const state st : all_states) {
    const std::string name{name_of(st)};
    const bool always = st == state::common || st == state::missing;
    if (always || s[name]["files"].get<std::int64_t>() > 0) text += fmt::format("  {:<10} {}\n", name, sum(s[name]));
  }
  for (const json& f : s.value("failures", json::array()))
    text += fmt::format("    {}: {}\n", f["path"].get<std::string>(), f["reason"].get<std::string>());
  if (const auto named = static_cast<std::int64_t>(s.value("failures", json::array()).size());
      s["failed"]["files"].get<std::int64_t>() > named)
    text += fmt::format("    and {} more; see ferryfs report --list failed\n",
                        human_count(s["failed"]["files"].get<std::int64_t>() - named));
  if (s["lost"]["files"].get<std::int64_t>() > 0)
    text += fmt::format("lost         {}  disappeared from the source before they were fetched\n", sum(s["lost"]));
  if (const auto n = s["unlisted"]["files"].get<std::int64_t>(); n > 0)
    text += fmt::format("unlisted     {}  their content is not known; see ferryfs report --list unlisted\n",
                        counted(n, "directory", "directories"));
  if (!s["suspicious"].is_null()) text += fmt::format("SUSPICIOUS   {}\n", s["suspicious"].get<std::string>());
  const json& transfer = s["transfer"];
  if (!source["reachable"].is_null() || transfer["paused"].get<bool>())
    text += fmt::format("transfer     {}\n", transfer_text(s));
  if (transfer.contains("blocked")) text += fmt::format("blocked      {}\n", transfer["blocked"].get<std::string>());
  const json waiting = transfer.value("waiting_for_room", json::object()),
             unkept = transfer.value("not_kept", json::object());
  if (waiting.value("files", 0U) > 0)
    text += fmt::format("no room      {} pictures, {}, wait for room on the destination's disk\n",
                        human_count(waiting["files"].get<std::int64_t>()),
                        human_size(waiting["bytes"].get<std::uint64_t>()));
  if (unkept.value("reads", 0U) > 0)
    text +=
        fmt::format("not kept     {} reads, {}: no room on the destination's disk (--min-free)\n",
                    human_count(unkept["reads"].get<std::int64_t>()), human_size(unkept["bytes"].get<std::uint64_t>()));
  if (s.contains("in_use")) text += fmt::format("in use       {}\n", s["in_use"]["why"].get<std::string>());
  text += s["complete"].get<bool>() ? "complete\n" : fmt::format("not complete: {}\n", share_text(s));
  return text;
}

std::string totals_text(const json& s) {
  return fmt::format("{} of {} pictures, {} of {}", human_count(s["common"]["files"].get<std::int64_t>()),
                     human_count(s["source"]["files"].get<std::int64_t>()),
                     human_size(s["common"]["bytes"].get<std::uint64_t>()),
                     human_size(s["source"]["bytes"].get<std::uint64_t>()));
}

std::string state_text(const json& s) {
  std::string text = transfer_text(s);
  if (s["source"].value("scanning", false)) text += ", scanning";
  for (const auto& [set, words] : {std::pair{"failed", "failed"}, {"conflict", "in conflict"}, {"refused", "refused"}})
    if (s.contains(set) && s[set]["files"].get<std::int64_t>() > 0)
      text += fmt::format(", {} {}", human_count(s[set]["files"].get<std::int64_t>()), words);
  if (s.contains("unlisted") && s["unlisted"]["files"].get<std::int64_t>() > 0)
    text += fmt::format(", {} unlisted", human_count(s["unlisted"]["files"].get<std::int64_t>()));
  if (!s.value("suspicious", json()).is_null()) text += ", SOURCE SUSPICIOUS";
  if (s["source"]["reachable"] == json(false)) text += ", SOURCE UNREACHABLE";
  if (s["transfer"].contains("blocked")) text += ", BLOCKED: " + s["transfer"]["blocked"].get<std::string>();
  return text;
}

std::string status_line(const json& s) {
  const double share = s["complete"].get<bool>() ? 100 : std::min(share_here(s), 99.9);
  return fmt::format("{:5.1f} %  {}, {}", share, totals_text(s), state_text(s));
}

}  // namespace ferryfs::fs
