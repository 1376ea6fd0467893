#include "fs/ready.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "fs/size.hpp"
#include "index/arrivals.hpp"
#include "index/path.hpp"
#include "remote/settling.hpp"

namespace ferryfs::fs {
namespace {

constexpr std::int64_t rescan_of_none = 300;  // seconds, where the archive does not scan by itself

std::string pictures(std::int64_t n) { return n == 1 ? "1 picture" : human_count(n) + " pictures"; }
std::string directories(std::int64_t n) {
  return n == 1 ? "1 directory" : fmt::format("{} directories", human_count(n));
}

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
  against(state::missing, "missing: wait for the replication, or accept the gap with ferryfs skip");
  against(state::failed,
          "failed: see ferryfs report --list failed, mend the cause, or accept the gap with ferryfs skip");
  against(state::conflict, "in conflict: decide with ferryfs resolve");
  if (r.growing > 0)
    v.reasons.push_back(
        fmt::format("{} still being written on the source: stop the uploads there", pictures(r.growing)));
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
  for (const auto& f : r.failed) v.reasons.push_back("not listed by the last scan: " + f);
  if (r.unlisted > 0)
    v.reasons.push_back(
        fmt::format("{} of the source never listed: run ferryfs scan, and see its errors", directories(r.unlisted)));
}

void judge_digests(const readiness& r, verdict& v) {
  std::uint64_t wrong = r.verified ? r.verified->wrong : 0;  // also what could not be compared, ever since
  if (r.verified && r.read_again && r.read_again->begun > r.verified->begun)
    wrong = std::max(wrong, r.read_again->wrong);
  std::string why;
  if (!r.verified)
    why = "digests never compared with the source's";
  else if (wrong > 0)
    why =
        fmt::format("{} not as it should be at the last verify: mend that", pictures(static_cast<std::int64_t>(wrong)));
  else if (r.arrivals != r.verified->arrivals)
    why = "pictures arrived since the last verify with the source, or were found on both sides";
  if (!why.empty()) v.reasons.push_back(fmt::format("{}; run ferryfs verify --source on the whole archive", why));
}

}  // namespace

readiness facts_of(remote::migration& m, const remote::in_use& open) {
  readiness r;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  r.now = std::chrono::duration_cast<std::chrono::seconds>(now).count();
  const auto reader = m.readers().borrow();
  r.totals = reader->totals();
  r.being_written = open.written();
  const auto settle = std::chrono::nanoseconds(remote::settle_time).count();
  const auto now_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
  if (r.totals.of(state::missing).files > 0) r.growing = reader->young_gaps(now_ns - settle, now_ns + settle);
  r.unlisted = reader->unlisted();
  for (const auto& f : m.scan_state().result.failures) r.failed.push_back(f.text);
  if (const auto at = reader->meta("last_scan")) r.last_scan = std::stoll(*at);
  r.rescan = m.setup().rescan.count();
  const auto health = m.source().state();
  r.reachable = health.reachable, r.why = printable(health.why);
  r.verified = remote::read_verification(reader->meta, true);
  r.read_again = remote::read_verification(reader->meta, false);
  r.arrivals = index::arrivals(reader->meta);
  r.lost = reader->lost().files;
  return r;
}

verdict judge(const readiness& r) {
  verdict v;
  judge_sets(r, v);
  judge_source(r, v);
  judge_digests(r, v);
  for (const state s : {state::skipped, state::deleted})
    if (const auto n = all_of(r.totals, s); !n.empty())
      v.notes.push_back(fmt::format("{} {}: the source's alone, and gone with it", n, name_of(s)));
  if (r.lost > 0) v.notes.push_back(pictures(r.lost) + " lost: they left the source before they were fetched");
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

std::string within(const std::string& lines, std::size_t most) {
  if (lines.size() <= most) return lines;
  const std::size_t end = lines.rfind('\n', most > 40 ? most - 40 : 0);
  const std::size_t kept = end == std::string::npos ? 0 : end + 1;
  const auto more = std::count(lines.begin() + static_cast<std::ptrdiff_t>(kept), lines.end(), '\n');
  return lines.substr(0, kept) + fmt::format("and {} more\n", more);
}

}  // namespace ferryfs::fs
