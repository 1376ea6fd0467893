// sync: the engine without a mount; and scan, its first half.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdio>

#include "fs/cli/commands/commands.hpp"
#include "fs/cli/control_client.hpp"
#include "fs/cli/locate.hpp"
#include "fs/cli/progress.hpp"
#include "fs/process/engine.hpp"
#include "fs/process/log.hpp"
#include "fs/process/signals.hpp"
#include "fs/report/recorder.hpp"
#include "fs/report/status.hpp"
#include "fs/text/size.hpp"
#include "index/base/mutex.hpp"
#include "index/base/path.hpp"

namespace ferryfs::fs {
namespace {

using namespace std::chrono_literals;

// A sync ends when nothing is left to do, by a signal, or by the source's absence.
struct ending {
  mutex mutex_{lock_level::command};  // of what stands below, until the migration has stopped: from then on no other
                                      // thread writes it
  condition changed;
  bool scanned = false, idle = false, interrupted = false;
  remote::source_scan::result scan;

  template <typename Set>
  void set(Set&& change) {
    {
      const lock held{mutex_};
      change();
    }
    changed.notify_all();
  }
  // A directory that can't be read keeps nothing else from being copied; a source that is lost does.
  bool is_lost() const {
    return std::any_of(scan.failures.begin(), scan.failures.end(),
                       [](const remote::failure& f) { return f.of_connection() || f.why == remote::cause::protocol; });
  }
  bool is_over() const { return interrupted || (scanned && (idle || is_lost())); }
};

// Waits for the end, and shows how far it is. Returns false if the source was gone for too long.
bool watch(ending& end, remote::migration& m, bool as_json) {
  progress shown;
  const auto source_timeout = 2 * m.setup().io_timeout;
  auto reached = std::chrono::steady_clock::now();
  lock held{end.mutex_};
  while (!end.is_over()) {
    end.changed.wait_for(held, 500ms, [&] { return end.is_over(); });
    held.unlock();
    const auto now = std::chrono::steady_clock::now();
    if (m.source().state().reachable) reached = now;
    if (!as_json) shown.show(status_of(m));
    held.relock();
    if (now - reached > source_timeout) return false;
  }
  return true;
}

exit_code conclude(const remote::migration& m, const json& s, const ending& end, bool reached,
                   const std::string& blocked, bool as_json) {
  const auto files = [&](const char* set) { return s[set]["files"].get<std::int64_t>(); };
  std::printf("%s", as_json ? (s.dump(2) + "\n").c_str() : status_text(s).c_str());
  if (end.interrupted) throw error(exit_code::incomplete, "interrupted; run it again to continue");
  if (!reached)
    throw error(exit_code::source,
                fmt::format("{}: unreachable for too long; run it again to continue", printable(m.setup().source)));
  if (!end.scan.suspicious.empty()) throw error(exit_code::incomplete, end.scan.suspicious);
  // Directories that can't be listed, and are accepted as that, are all that may be against a complete archive.
  const bool accepted = s["complete"].get<bool>() && !end.scan.cut_short &&
                        std::none_of(end.scan.failures.begin(), end.scan.failures.end(),
                                     [](const auto& f) { return f.of_connection() || f.of_disk(); });
  if (!end.scan.complete() && !accepted) {
    const auto& first = end.scan.failures.front();
    const bool of_source =
        first.of_connection() || first.why == remote::cause::protocol || first.why == remote::cause::not_found;
    throw error(of_source ? exit_code::source : exit_code::incomplete, "the source could not be listed: " + first.text);
  }
  if (!blocked.empty()) throw error(exit_code::local, blocked);
  if (s["complete"].get<bool>()) return exit_code::complete;
  throw error(exit_code::incomplete,
              fmt::format("{} missing, {} failed, {} in conflict, {} refused; see ferryfs status", files("missing"),
                          files("failed"), files("conflict"), files("refused")));
}

// The report that a sync or scan leaves, unless it was interrupted.
void leave_report(const char* name, recorder& reports, const ending& end, bool reached, const std::string& blocked,
                  wall_clock::time_point begun) {
  if (end.interrupted) return;
  job j = scan_job(end.scan);
  j.name = name;
  if (!reached) j.status = "failed", j.errors.emplace_back("the source was unreachable for too long");
  if (!blocked.empty()) j.status = "failed", j.errors.push_back(blocked);
  reports.try_record(std::move(j), begun);
}

exit_code scan_mounted(const archive_location& where, bool believe, bool as_json) {
  const std::string answer = send_command(where.root, believe ? "rescan believe" : "rescan");
  std::printf("%s\n", as_json ? read_status(where.root).dump(2).c_str() : answer.c_str());
  return exit_code::complete;
}

}  // namespace

exit_code run_sync(const arguments& a) {
  block_signals();
  log_to_stderr(a.log_level == "info" ? "critical" : a.log_level);  // what went wrong is said once, at the end
  ending end;
  const signal_watcher watcher{[&](int) { end.set([&] { end.interrupted = true; }); }};
  const engine e = open_engine(a.settings, a.destination, "", need_source::now, a.limit);
  say_what_is_lacking(*e.where);
  also_log_to_file(e.where->log_path(), a.log_level);
  auto& m = *e.archive;
  spdlog::info("sync from {} begins", m.setup().source);
  recorder reports{m};
  const auto begun = wall_clock::now();
  m.rescan([&](const auto& r) {
    end.set([&] { end.scan = r, end.scanned = true, end.idle = !m.may_replicate(); });
    m.replicate().when_idle([&] { end.set([&] { end.idle = true; }); });
  });
  m.start({true, false});
  const bool reached = watch(end, m, a.json);
  const std::string blocked = m.replicate().blocked_by();
  const json s = status_of(m);
  m.stop();
  spdlog::info("sync ends{}: {}", end.interrupted ? ", interrupted" : "", status_line(s));
  leave_report("sync", reports, end, reached, blocked, begun);
  return conclude(m, s, end, reached, blocked, a.json);
}

exit_code run_scan(const arguments& a) {
  const archive_location where = locate(a.path);
  if (where.mounted && a.rebuild)
    throw error(
        exit_code::usage,
        fmt::format("{}: the archive is mounted and its index in use; unmount it, then run ferryfs scan --rebuild",
                    printable(where.root)));
  if (where.mounted) return scan_mounted(where, a.believe, a.json);
  block_signals();
  log_to_stderr("critical");
  ending end;
  const signal_watcher watcher{[&](int) { end.set([&] { end.interrupted = true; }); }};
  const engine e = open_engine(known_settings(where.root), where.root, "", need_source::now, {}, a.rebuild);
  also_log_to_file(e.where->log_path(), "info");
  auto& m = *e.archive;
  recorder reports{m};
  const auto begun = wall_clock::now();
  m.rescan([&](const auto& r) { end.set([&] { end.scan = r, end.scanned = end.idle = true; }); },
           remote::migration::pass::full, a.believe);
  m.start({false, false});
  const bool reached = watch(end, m, a.json);
  const json s = status_of(m);
  m.stop();
  leave_report("scan", reports, end, reached, "", begun);
  return conclude(m, s, end, reached, "", a.json);
}

}  // namespace ferryfs::fs
