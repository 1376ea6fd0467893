// The options of each command. The texts are those of --help.
#include <CLI/CLI.hpp>

#include "fs/cli/options.hpp"

namespace ferryfs::fs {
namespace {

void add_decisions(CLI::App& app, arguments& a) {
  auto* skip = app.add_subcommand("skip", "accept that these pictures stay missing, until they are fetched");
  skip->add_option("PATH", a.paths, "pictures, or directories with all that is missing below them")->required();
  auto* undelete = app.add_subcommand("undelete", "undo deletions, while the source still has the pictures");
  undelete->add_option("PATH", a.paths, "what was deleted, or directories with all that was deleted below them")
      ->required();
  auto* resolve = app.add_subcommand("resolve", "decide which version of a picture in conflict to keep");
  resolve->add_option("PATH", a.paths, "pictures in conflict, or directories with all conflicts below them")
      ->required();
  resolve->add_option("--keep", a.keep, "source, destination or both")
      ->required()
      ->check(CLI::IsMember({"source", "destination", "both"}));
  auto* ready = app.add_subcommand(
      "ready", "check both sides, and say whether the old server can be switched off or what is in the way");
  ready->add_option("PATH", a.path, "the archive")->required();
  ready->add_flag("--json", a.json, "for programs");
  ready->add_flag("--quick", a.quick, "judge from the index, without looking at either side; never a verdict");
  auto* verify = app.add_subcommand(
      "verify", "read the destination's pictures again and compare them with their known SHA-256 digests");
  verify->add_option("PATH", a.path, "the archive, or a part of it")->required();
  verify->add_flag("--source", a.with_source, "compare with the source's own digests, too");
}

void add_report_options(CLI::App& app, arguments& a, raw_options& r) {
  app.add_option("PATH", a.path, "the archive, or what is to be listed of it")->required();
  auto* make = app.add_flag("--new", a.make_report, "make a report now");
  app.add_option("--html", a.html, "write the dashboard, as it stands now, into a file");
  auto* id = app.add_option("--id", r.id, "an earlier report by its number");
  auto* list = app.add_option("--list", a.list, "the pictures of a set, one a line, sorted, with their sizes")
                   ->check(CLI::IsMember({"source", "destination", "common", "missing", "new", "conflict", "deleted",
                                          "skipped", "failed", "refused", "lost", "unlisted"}));
  auto* compare = app.add_option("--compare", a.compare, "what changed between two reports")->expected(2);
  auto* since = app.add_option("--since", a.since, "what changed since a report, a day as 2026-11-23, or monday");
  app.add_option("--format", r.format, "text or json")->check(CLI::IsMember({"text", "json"}))->capture_default_str();
  make->excludes(id)->excludes(list)->excludes(compare)->excludes(since);
  compare->excludes(id)->excludes(since);
  since->excludes(id);
}

}  // namespace

void add_commands(CLI::App& app, arguments& a, raw_options& r) {
  auto* mount = app.add_subcommand(
      "mount", "mount the archive: source and destination merged; missing pictures are copied in the background");
  add_archive_options(*mount, a, r);
  add_mount_options(*mount, a, r);
  auto* sync = app.add_subcommand("sync", "copy what is missing, without a mount, and exit");
  add_archive_options(*sync, a, r);
  sync->add_flag("--json", a.json, "print the state at the end as JSON");
  auto* scan = app.add_subcommand("scan", "scan both sides again now");
  scan->add_option("PATH", a.path, "the archive")->required();
  scan->add_flag("--json", a.json, "print the state after the scan as JSON");
  scan->add_flag("--believe", a.believe, "accept whatever has disappeared from the source, even if that is all of it");
  scan->add_flag("--rebuild", a.rebuild,
                 "rebuild the index from both sides and the file of decisions; only while unmounted");
  auto* status = app.add_subcommand("status", "show how far the archive is copied");
  status->add_option("PATH", a.paths, "archives; by default all that are mounted on this machine");
  status->add_flag("--json", a.json, "for programs");
  status->add_flag("--watch", a.watch, "repeat until interrupted");
  status->add_flag("--verbose", a.verbose, "also what the destination's disk can do");
  status->add_option("--wait", r.wait, "wait until the archive is complete, SECONDS at most")->expected(0, 1);
  auto* log = app.add_subcommand("log", "print the archive's log, mounted or not");
  log->add_option("PATH", a.path, "the archive")->required();
  log->add_flag("-f,--follow", a.follow, "follow the log until interrupted");
  auto* report = app.add_subcommand("report", "the history of reports, and lists of pictures");
  add_report_options(*report, a, r);
  auto* fetch = app.add_subcommand("fetch", "copy pictures, or everything below a directory, to the destination now");
  fetch->add_option("PATH", a.paths, "what to fetch")->required();
  auto* push = app.add_subcommand("push", "copy what is only on the destination back to the source");
  push->add_option("PATH", a.path, "the archive, or something below it")->required();
  push->add_flag("--overwritten", a.overwritten,
                 "also overwrite the source's copies of pictures in conflict, and of pictures that were deleted here "
                 "before others took their names");
  add_decisions(app, a);
  auto* ctl = app.add_subcommand("ctl", "control background work; a setting stays until it is changed");
  ctl->add_option("PATH", a.path, "the archive")->required();
  ctl->add_option("VERB", a.verb, "pause, resume, rescan or limit")
      ->required()
      ->check(CLI::IsMember({"pause", "resume", "rescan", "limit"}));
  ctl->add_option("RATE", r.config,
                  "for limit: bytes a second, for example 500K or 20M; 0: no limit. For rescan: 'changed' lists only "
                  "the directories whose time has changed, as --rescan does");
}

}  // namespace ferryfs::fs
