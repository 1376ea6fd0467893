// status: from the mount's own files, or from the index of an archive that is not mounted; of one or of many.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>

#include "fs/cli/commands/commands.hpp"
#include "fs/cli/control_client.hpp"
#include "fs/cli/locate.hpp"
#include "fs/cli/progress.hpp"
#include "fs/process/capabilities_json.hpp"
#include "fs/process/holder.hpp"
#include "fs/process/mounts.hpp"
#include "fs/report/standstill.hpp"
#include "fs/report/status.hpp"
#include "fs/text/size.hpp"
#include "index/base/path.hpp"

namespace ferryfs::fs {
namespace {

using namespace std::chrono_literals;

json status_at(const archive_location& where) {
  if (where.mounted) return read_status(where.root);
  index::reader r{fmt::format("{}/{}/index.db", where.root, own_directory)};
  json s = status_of(r);
  if (const auto h = lasting_holder_of(where.root)) s["in_use"] = json_of(*h);
  return s;
}

void print(const json& s, bool as_json) {
  std::printf("%s%s", as_json ? s.dump(2).c_str() : status_text(s).c_str(), as_json ? "\n" : "");
}

// To stderr, in one line; nothing where more may come by itself, and the time was over.
void say_why_not(const std::string& path, const json& s) {
  const auto end = standstill_of(s);
  if (end.reasons.empty()) return;
  std::fflush(stdout);
  std::fprintf(stderr, "ferryfs: %s: nothing more will be copied by itself: %s\n", printable(path).c_str(),
               fmt::format("{}", fmt::join(end.reasons, "; ")).c_str());
}

exit_code code_of(const json& s) { return s["complete"].get<bool>() ? exit_code::complete : exit_code::incomplete; }

// Why waiting for an archive may end. One that can't be asked is not going to be complete.
standstill end_of_wait(const json& s) {
  if (s.contains("error")) return {{s["error"].get<std::string>()}, std::chrono::seconds(3)};
  return s["complete"].get<bool>() ? standstill{{"complete"}} : standstill_of(s);
}

// Of all of them, when nothing more comes by itself to any: whatever the last one says.
standstill end_of_waits(const json& all) {
  standstill end{{"nothing is waited for"}};
  for (const json& s : all) {
    auto one = end_of_wait(s);
    if (one.reasons.empty()) return {};
    one.to_last = std::max(one.to_last, end.to_last);
    end = std::move(one);
  }
  return end;
}

// Asks again and again, and shows what comes: until nothing more does, or until the time is over, or for ever.
template <typename Ask, typename Show>
json watch(const arguments& a, Ask&& ask, Show&& show, standstill (*ends)(const json&)) {
  const auto begun = std::chrono::steady_clock::now();
  auto moved = begun;
  progress shown;
  while (true) {
    json s = ask();
    const auto now = std::chrono::steady_clock::now();
    const bool late = a.wait_seconds && now - begun >= std::chrono::seconds(*a.wait_seconds);
    if (a.wait) {
      const auto end = ends(s);
      if (end.reasons.empty()) moved = now;
      if (late || (!end.reasons.empty() && now - moved >= end.to_last)) return s;
    }
    if (a.watch && a.json)
      std::printf("%s\n", s.dump().c_str()), std::fflush(stdout);
    else if (!a.json)
      show(shown, s);
    std::this_thread::sleep_for(a.wait && !a.watch ? 200ms : 1s);
  }
}

// An array; of an archive that can't be asked, why not.
json statuses_of(const std::vector<std::string>& paths) {
  json all = json::array();
  for (const auto& path : paths) {
    json one{{"path", printable(path)}};
    try {
      one.update(status_at(locate(path)));
    } catch (const error& e) {
      one["error"] = e.what(), one["code"] = static_cast<int>(e.code());
    }
    all.push_back(std::move(one));
  }
  return all;
}

// The part of the totals that has a line to itself.
json total_of(const json& all) {
  json sum{{"source", {{"files", 0}, {"bytes", 0}, {"reachable", nullptr}}},
           {"common", {{"files", 0}, {"bytes", 0}}},
           {"transfer", {{"paused", false}, {"rate", 0}, {"eta_s", nullptr}}},
           {"complete", true}};
  for (const json& s : all) {
    sum["complete"] = sum["complete"].get<bool>() && s.value("complete", false);
    if (s.contains("error")) continue;
    for (const char* set : {"source", "common"})
      for (const char* n : {"files", "bytes"})
        sum[set][n] = sum[set][n].get<std::int64_t>() + s[set][n].get<std::int64_t>();
    sum["transfer"]["rate"] = sum["transfer"]["rate"].get<std::uint64_t>() + s["transfer"]["rate"].get<std::uint64_t>();
    const json& eta = s["transfer"]["eta_s"];
    json& latest = sum["transfer"]["eta_s"];
    if (!eta.is_null() && (latest.is_null() || eta.get<std::int64_t>() > latest.get<std::int64_t>())) latest = eta;
  }
  return sum;
}

std::string archive_line(const json& s) { return status_line(s) + "  " + s["path"].get<std::string>(); }

std::string total_line(const json& all) {
  const auto silent = static_cast<std::size_t>(
      std::count_if(all.begin(), all.end(), [](const json& s) { return s.contains("error"); }));
  if (silent == all.size()) return fmt::format("none of the {} archives answers", all.size());
  std::string text = fmt::format("{} archives: {}", all.size() - silent, status_line(total_of(all)));
  return silent == 0 ? text : text + fmt::format(", {} DO NOT ANSWER", silent);
}

drawing lines_of(const json& all) {
  drawing lines;
  for (const json& s : all) lines.push_back(s.contains("error") ? s["error"].get<std::string>() : archive_line(s));
  lines.push_back(total_line(all));
  return lines;
}

exit_code status_of_many(const arguments& a, const std::vector<std::string>& paths) {
  const auto ask = [&] { return statuses_of(paths); };
  const auto show = [](progress& p, const json& s) { p.show(lines_of(s), total_line(s)); };
  const json all = a.watch || a.wait ? watch(a, ask, show, end_of_waits) : ask();
  exit_code worst = exit_code::complete;
  if (a.json) std::printf("%s\n", all.dump(2).c_str());
  for (const json& s : all) {
    const bool failed = s.contains("error");
    const auto code = failed ? static_cast<exit_code>(s["code"].get<int>()) : code_of(s);
    worst = std::max(worst, code);
    if (failed)
      std::fprintf(stderr, "ferryfs: %s\n", s["error"].get<std::string>().c_str());
    else if (!a.json)
      std::printf("%s\n", archive_line(s).c_str());
    if (!failed && a.wait && code != exit_code::complete) say_why_not(s["path"].get<std::string>(), s);
  }
  if (!a.json) std::printf("%s\n", total_line(all).c_str());
  return worst;
}

}  // namespace

exit_code run_status(const arguments& a) {
  if (a.paths.size() != 1) {
    const auto paths = a.paths.empty() ? mountpoints() : a.paths;
    if (paths.empty() && !a.json) {
      std::printf("no archive is mounted on this machine\n");
      return exit_code::complete;
    }
    return status_of_many(a, paths);
  }
  const archive_location where = locate(a.paths.front());
  const auto ask = [&] { return status_at(where); };
  const auto show = [](progress& p, const json& s) { p.show(s); };
  const json s = a.watch || a.wait ? watch(a, ask, show, end_of_wait) : ask();
  print(s, a.json);
  if (a.verbose && !a.json) std::printf("%s", capabilities_text(s.value("disk", json())).c_str());
  if (a.wait && code_of(s) != exit_code::complete) say_why_not(a.paths.front(), s);
  return code_of(s);
}

}  // namespace ferryfs::fs
