// What each command takes. The texts are those of --help.
#include <CLI/CLI.hpp>

#include "fs/cli/options.hpp"

namespace ferryfs::fs {
namespace {

void add_decisions(CLI::App& app, arguments& a) {
  auto* skip = app.add_subcommand("skip", "accept that these gaps stay gaps, until they are fetched");
  skip->add_option("PATH", a.paths, "pictures, or directories with all that is missing below them")->required();
  auto* undelete = app.add_subcommand("undelete", "take deletions back, while the source has the pictures");
  undelete->add_option("PATH", a.paths, "what was deleted, or directories with all that was deleted below them")
      ->required();
  auto* resolve = app.add_subcommand("resolve", "decide conflicts");
  resolve->add_option("PATH", a.paths, "pictures in conflict, or directories with all conflicts below them")
      ->required();
  resolve->add_option("--keep", a.keep, "source, destination or both")
      ->required()
      ->check(CLI::IsMember({"source", "destination", "both"}));
  auto* ready = app.add_subcommand(
      "ready", "look at both sides, and say whether the old server can be switched off or what is against it");
  ready->add_option("PATH", a.path, "the archive")->required();
  ready->add_flag("--json", a.json, "for programs");
  ready->add_flag("--quick", a.quick, "by what is known, without a look at either side: not a verdict");
  auto* verify = app.add_subcommand("verify", "read what is here again and compare it with the digests that are known");
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
  auto* mount = app.add_subcommand("mount", "mount the archive: source and destination merged, gaps filled behind it");
  add_archive_options(*mount, a, r);
  add_mount_options(*mount, a, r);
  auto* sync = app.add_subcommand("sync", "fill the gaps without a mount, and exit");
  add_archive_options(*sync, a, r);
  sync->add_flag("--json", a.json, "the state at the end, for programs");
  auto* scan = app.add_subcommand("scan", "look at both sides again now");
  scan->add_option("PATH", a.path, "the archive")->required();
  scan->add_flag("--json", a.json, "the state after it, for programs");
  scan->add_flag("--believe", a.believe, "what is gone from the source is meant to be, be it all of it");
  scan->add_flag("--rebuild", a.rebuild, "make the index anew, from both sides and the decisions; unmounted only");
  auto* status = app.add_subcommand("status", "where the archive stands");
  status->add_option("PATH", a.paths, "archives; left out: all that are mounted on this machine");
  status->add_flag("--json", a.json, "for programs");
  status->add_flag("--watch", a.watch, "go on until interrupted");
  status->add_flag("--verbose", a.verbose, "also what the destination's disk can do");
  status->add_option("--wait", r.wait, "wait until it is complete, SECONDS at most")->expected(0, 1);
  auto* log = app.add_subcommand("log", "what the archive's log holds, also while it is mounted");
  log->add_option("PATH", a.path, "the archive")->required();
  log->add_flag("-f,--follow", a.follow, "go on with what comes to it, until interrupted");
  auto* report = app.add_subcommand("report", "the history of reports, and lists of pictures");
  add_report_options(*report, a, r);
  auto* fetch = app.add_subcommand("fetch", "make pictures, or all below a directory, local now");
  fetch->add_option("PATH", a.paths, "what to fetch")->required();
  auto* push = app.add_subcommand("push", "send what is new here back to the source");
  push->add_option("PATH", a.path, "the archive, or something below it")->required();
  push->add_flag(
      "--overwritten", a.overwritten,
      "also replace the source's copies of pictures in conflict, and of what was deleted here, by what is here");
  add_decisions(app, a);
  auto* ctl =
      app.add_subcommand("ctl", "control the background of an archive; what is set holds until it is set again");
  ctl->add_option("PATH", a.path, "the archive")->required();
  ctl->add_option("VERB", a.verb, "pause, resume, rescan or limit")
      ->required()
      ->check(CLI::IsMember({"pause", "resume", "rescan", "limit"}));
  ctl->add_option("RATE", r.config,
                  "of limit: bytes a second, as 500K or 20M; 0: none. Of rescan: 'changed', to list only the "
                  "directories whose time has changed, as --rescan does");
}

}  // namespace ferryfs::fs
