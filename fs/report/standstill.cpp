#include "fs/report/standstill.hpp"

#include <fmt/format.h>

#include <cstdint>

#include "fs/text/size.hpp"

namespace ferryfs::fs {
namespace {

using namespace std::chrono_literals;

constexpr auto a_moment = 3s;      // between two scans, or until a scan begins
constexpr auto a_lost_line = 10s;  // a connection that was lost is tried again at once

std::int64_t files(const json& s, const char* set) {
  return s.contains(set) ? s[set].value("files", std::int64_t{0}) : 0;
}

// The reasons why nothing of what is missing can come.
std::vector<std::string> obstacles(const json& s) {
  std::vector<std::string> all;
  const json& source = s["source"];
  const json& transfer = s["transfer"];
  if (const json why = s.value("suspicious", json()); !why.is_null()) all.push_back(why.get<std::string>());
  if (transfer["paused"].get<bool>()) all.emplace_back("replication is paused (ferryfs ctl PATH resume)");
  if (source["reachable"] == json(false))
    all.push_back("the source is unreachable: " + source.value("why", std::string("nothing is known")));
  if (transfer.contains("blocked")) all.push_back(transfer["blocked"].get<std::string>());
  return all;
}

// Adds the states that only a person can end.
void add_undecided(const json& s, std::vector<std::string>& all) {
  constexpr std::pair<const char*, const char*> sets[] = {{"failed", "failed (ferryfs report --list failed)"},
                                                          {"conflict", "in conflict (ferryfs resolve)"},
                                                          {"refused", "refused (ferryfs report --list refused)"},
                                                          {"unlisted", "not listed (ferryfs report --list unlisted)"}};
  for (const auto& [set, words] : sets)
    if (const auto n = files(s, set); n > 0) all.push_back(human_count(n) + ' ' + words);
}

}  // namespace

standstill standstill_of(const json& s) {
  if (s.contains("in_use")) return {};  // a sync, or a mount that is not to be seen from here
  standstill st;
  const bool nobody_works = s["source"]["reachable"].is_null();
  const json& transfer = s["transfer"];
  const bool in_flight = !transfer.value("active", json::array()).empty();
  if (nobody_works) {
    st.reasons.emplace_back("no ferryfs is running for it (ferryfs mount, or ferryfs sync)");
    if (const auto n = files(s, "missing"); n > 0) st.reasons.push_back(human_count(n) + " missing");
    if (const json why = s.value("suspicious", json()); !why.is_null()) st.reasons.push_back(why.get<std::string>());
  } else {
    st.reasons = obstacles(s);
    const bool works =
        s["source"].value("scanning", false) || files(s, "missing") > 0 || transfer.value("retries_soon", false);
    if (in_flight || (st.reasons.empty() && works)) return {};
    st.to_last = s["source"]["reachable"] == json(false) ? a_lost_line : a_moment;
  }
  add_undecided(s, st.reasons);
  if (s["source"]["last_scan"].is_null())
    st.reasons.emplace_back("the source was never scanned to its end (ferryfs scan)");
  if (st.reasons.empty()) st.reasons.emplace_back("nothing is left to be fetched");
  return st;
}

}  // namespace ferryfs::fs
