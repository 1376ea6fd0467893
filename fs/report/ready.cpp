#include "fs/report/ready.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>

#include "fs/text/size.hpp"
#include "index/base/clock.hpp"
#include "index/base/path.hpp"
#include "index/base/promise.hpp"
#include "index/query/completeness.hpp"
#include "remote/engine/verify/verifier.hpp"

namespace ferryfs::fs {
namespace {

constexpr std::size_t most_named = 5;
constexpr std::int64_t rescan_of_none = 300;  // seconds, where the archive does not scan by itself

std::string pictures(std::int64_t n) { return counted(n, "picture", "pictures"); }
std::string directories(std::int64_t n) { return counted(n, "directory", "directories"); }

// Of one state, with directories where there are some.
std::string all_of(const index::totals& t, state s) {
  const auto at = static_cast<std::size_t>(s);
  std::string text;
  if (t.files[at].files > 0)
    text = fmt::format("{} ({})", pictures(t.files[at].files),
                       human_size(static_cast<std::uint64_t>(t.files[at].source_bytes)));
  if (t.directories[at].files > 0) text += (text.empty() ? "" : " and ") + directories(t.directories[at].files);
  return text;
}

void judge_sets(const readiness& r, verdict& v) {
  const auto against = [&](state s, const char* what) {
    if (const auto n = all_of(r.totals, s); !n.empty()) v.reasons.push_back(n + ' ' + what);
  };
  against(state::missing, "missing: wait until replication has copied them, or accept that with ferryfs skip");
  against(state::failed,
          "failed: see ferryfs report --list failed; remove the cause, or accept that with ferryfs skip");
  against(state::conflict, "in conflict: decide with ferryfs resolve");
  if (r.refused > 0)
    v.reasons.push_back(
        fmt::format("{} of the source refused, as names or kinds of file that can't be stored here: see ferryfs report "
                    "--list refused; change it on the source, or accept that with ferryfs skip",
                    counted(r.refused, "name", "names")));
  if (const auto n = r.totals.of(state::refused).files; n > 0)
    v.reasons.push_back(
        fmt::format("{} of the source refused, as leading out of the archive: see ferryfs report --list refused; copy "
                    "one with ferryfs resolve --keep source or all with --links all, or accept that with ferryfs skip",
                    counted(n, "symbolic link", "symbolic links")));
  if (r.being_written > 0)
    v.reasons.push_back(fmt::format("{} open for writing here: wait until the uploads have ended",
                                    pictures(static_cast<std::int64_t>(r.being_written))));
}

void judge_source(const readiness& r, verdict& v) {
  if (!r.reachable) v.reasons.push_back("the source is not reachable now: " + r.why);
  const std::int64_t oldest = 2 * (r.rescan > 0 ? r.rescan : rescan_of_none);
  if (!r.last_scan)
    v.reasons.emplace_back("the source was never scanned to its end: run ferryfs scan");
  else if (r.now - *r.last_scan > oldest)
    v.reasons.push_back(fmt::format("the last scan of the source is {} old: run ferryfs scan",
                                    human_time(std::chrono::seconds(r.now - *r.last_scan))));
  if (!r.suspicious.empty()) v.reasons.push_back("the source is not believed: " + r.suspicious);
  if (r.totals.source().files == 0 && r.totals.destination().files == 0)
    v.reasons.emplace_back(
        "no picture is known on either side: check that the source's disk is mounted, and run ferryfs scan");
  for (const auto& f : r.failed) v.reasons.push_back("not listed by the last scan: " + f);
  for (const auto& d : r.unlisted_because) v.reasons.push_back("not listed: " + d);
  if (const auto more = r.unlisted - static_cast<std::int64_t>(r.unlisted_because.size()); more > 0)
    v.reasons.push_back(fmt::format(
        "{}{} not listed: remove the cause and run ferryfs scan, or leave them out with ferryfs skip or --exclude",
        r.unlisted_because.empty() ? "" : "and ", directories(more)));
  if (r.lost > 0)
    v.reasons.push_back(pictures(r.lost) +
                        " lost: they disappeared from the source before they were fetched; see ferryfs report --list "
                        "lost, and accept that with ferryfs skip");
}

void judge_digests(const readiness& r, verdict& v) {
  if (r.uncompared > 0)
    v.reasons.push_back(
        fmt::format("{} not compared with the source's digest since they last changed: run ferryfs ready without "
                    "--quick, or ferryfs verify --source",
                    pictures(static_cast<std::int64_t>(r.uncompared))));
}

// Directories that can't be listed stand in the index, where they may have been accepted.
bool is_of_no_directory(const remote::failure& f) { return f.of_connection() || f.of_disk(); }

// A listing of all of the source that begins now. Returns what kept it from its end.
std::vector<std::string> list_all(remote::migration& m, const std::stop_token& stop) {
  const auto end = std::make_shared<promise<remote::source_scan::result>>();
  m.rescan([end](const remote::source_scan::result& r) { end->set_value(r); });
  while (!end->wait_for(std::chrono::milliseconds(100)))
    if (stop.stop_requested()) return {"interrupted while the source was listed"};
  const auto r = end->get();
  std::vector<std::string> against;
  for (const auto& f : r.failures)
    if (is_of_no_directory(f)) against.push_back("not listed by the last scan: " + f.text);
  if (r.cut_short && against.empty()) against.emplace_back("the source was not listed to its end");
  return against;
}

}  // namespace

readiness facts_of(remote::migration& m, const remote::open_files_query& open) {
  readiness r;
  r.now = wall_seconds();
  const auto reader = m.readers().borrow();
  r.totals = reader->totals();
  r.being_written = open.count_written();
  r.unlisted = reader->unlisted();
  std::vector<index::unlisted> unlisted;
  reader->unlisted_directories([&](index::unlisted&& u) {
    if (!u.text.empty()) unlisted.push_back(std::move(u));
    return unlisted.size() < most_named;
  });
  for (const auto& u : unlisted) r.unlisted_because.push_back(u.text);
  r.suspicious = reader->meta(index::suspicious_key).value_or("");
  for (const auto& f : m.scan_state().result.failures)
    if (is_of_no_directory(f)) r.failed.push_back(f.text);
  if (const auto at = reader->meta("last_scan")) r.last_scan = std::stoll(*at);
  r.rescan = m.setup().rescan.count();
  const auto health = m.source().state();
  r.reachable = health.reachable, r.why = printable(health.why);
  r.uncompared = static_cast<std::uint64_t>(reader->uncompared());
  r.lost = reader->lost_totals().files;
  r.refused = reader->refused_names().files;
  return r;
}

verdict look_and_judge(remote::migration& m, const remote::open_files_query& open, remote::verify_progress& progress,
                       const std::stop_token& stop) {
  auto cut_off = list_all(m, stop);
  if (cut_off.empty()) {
    const auto compared = remote::verify_below(
        {m.where(), m.source(), m.index(), m.readers(), m.suspicion()}, "", remote::verify_how::uncompared,
        [](const std::string&) {}, progress, stop);
    if (!compared.complete) cut_off.emplace_back("interrupted while digests were compared");
    if (const int problem = m.where().sync())
      cut_off.push_back(fmt::format("the destination could not be synced to its disk: {}", std::strerror(problem)));
  }
  verdict v = judge(facts_of(m, open));
  for (const auto& why : cut_off)
    if (std::find(v.reasons.begin(), v.reasons.end(), why) == v.reasons.end()) v.reasons.push_back(why);
  return v;
}

verdict judge(const readiness& r) {
  verdict v;
  judge_sets(r, v);
  judge_source(r, v);
  judge_digests(r, v);
  for (const state s : {state::skipped, state::deleted})
    if (const auto n = all_of(r.totals, s); !n.empty())
      v.notes.push_back(fmt::format("{} {}: only the source has them, and they go with it", n, name_of(s)));
  return v;
}

std::string text_of(const verdict& v) {
  std::string text = v.go() ? "go: the old server can be switched off\n" : "no-go\n";
  for (const auto& r : v.reasons) text += "  " + r + '\n';
  for (const auto& n : v.notes) text += "  note: " + n + '\n';
  return text;
}

nlohmann::ordered_json json_of(const verdict& v) {
  return {{"go", v.go()}, {"reasons", v.reasons}, {"notes", v.notes}};
}

std::string quick_text_of(const verdict& v) {
  return (v.go() ? std::string("no reason against it is known\n") : text_of(v)) + "not a verdict\n";
}

nlohmann::ordered_json quick_json_of(const verdict& v) {
  auto j = json_of(v);
  j["go"] = false, j["verdict"] = false;
  return j;
}

std::string within(const std::string& lines, std::size_t most) {
  if (lines.size() <= most) return lines;
  const std::size_t end = lines.rfind('\n', most > 40 ? most - 40 : 0);
  const std::size_t kept = end == std::string::npos ? 0 : end + 1;
  const auto more = std::count(lines.begin() + static_cast<std::ptrdiff_t>(kept), lines.end(), '\n');
  return lines.substr(0, kept) + fmt::format("and {} more\n", more);
}

}  // namespace ferryfs::fs
