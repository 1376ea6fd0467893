#include "fs/cli/arguments.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "fs/text/size.hpp"
#include "index/base/error.hpp"
#include "index/base/path.hpp"

namespace ferryfs::fs {
namespace {

constexpr const char* version = "ferryfs 0.1.0";

// Options that CLI11 takes as text and the commands want as numbers.
struct raw {
  std::string limit, min_free, umask, wait, config, format = "text", links = "inside";
  unsigned id = 0;
  std::uint64_t io_timeout = 30, rescan = 300, quiet = 10;
  std::uint32_t uid = 0, gid = 0;
};

std::uint64_t size_option(const char* name, const std::string& text) {
  const auto size = parse_size(text);
  if (!size)
    throw error(exit_code::usage,
                fmt::format("{} {}: not a size; write bytes, or 500K, 20M, 1G", name, printable(text)));
  return *size;
}

std::uint32_t octal_option(const char* name, const std::string& text) {
  std::uint32_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value, 8);
  if (problem != std::errc{} || end != text.data() + text.size() || value > 0777)
    throw error(exit_code::usage, fmt::format("{} {}: not an octal mask; write 022 or 077", name, printable(text)));
  return value;
}

void add_archive_options(CLI::App& app, arguments& a, raw& r) {
  auto& s = a.settings;
  app.add_option("SOURCE", s.source, "/dir, user@host:path or sftp://user@host:port/path")->required();
  app.add_option("DESTINATION", a.destination, "a directory on this server")->required();
  app.add_option("--identity", s.identities, "private key file (ed25519 or ecdsa)")->allow_extra_args(false);
  app.add_option("--known-hosts", s.known_hosts, "known_hosts file")->allow_extra_args(false);
  app.add_option("--ssh-config", s.ssh_config, "ssh client configuration");
  app.add_option("--sessions", s.sessions, "connections to the source, at most")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--limit", r.limit,
                 "limit of background replication in bytes a second, for example 500K or 20M; 0: no limit; stays until "
                 "it is set again");
  app.add_option("--exclude", s.exclude, "exclude names that match")->allow_extra_args(false);
  app.add_option("--links", r.links, "symbolic links to copy: those that point inside the archive, all or none")
      ->check(CLI::IsMember({"inside", "all", "none"}))
      ->capture_default_str();
  app.add_option("--profile", s.profile,
                 "generic or webcampak: excludes the temporary files that such an archive is known to hold")
      ->capture_default_str();
  app.add_option("--io-timeout", r.io_timeout, "seconds without an answer until the source counts as unreachable")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  app.add_option("--rescan", r.rescan, "seconds between scans of the source; 0: never")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();
  app.add_option("--min-free", r.min_free, "keep this much space free on the destination's disk (256M)");
  app.add_option("--keep-reports", s.keep_reports, "number of reports to keep")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  app.add_option("--quiet", r.quiet,
                 "seconds for which a recent picture must stay unchanged on the source before it counts as complete")
      ->check(CLI::Range(0, 86'400))
      ->capture_default_str();
  app.add_option("--believe-loss", s.believe_loss,
                 "percent of the source's pictures that may disappear at once; a larger loss (of 20 pictures or more) "
                 "is not believed")
      ->check(CLI::Range(0, 100))
      ->capture_default_str();
  app.add_option("--config", r.config, "TOML file with any of these options");
  app.add_option("--log-level", a.log_level, "debug, info, warn or error")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
      ->capture_default_str();
}

void add_mount_options(CLI::App& app, arguments& a, raw& r) {
  app.add_option("MOUNTPOINT", a.mountpoint, "where to mount; by default over the destination");
  app.add_option("--uid", r.uid, "owner to show for files that were given none of their own");
  app.add_option("--gid", r.gid, "group to show for files that were given none of their own");
  app.add_option("--umask", r.umask, "permission bits to clear, octal");
  app.add_flag(
      "--paused", a.paused,
      "start with background replication paused, until 'ferryfs ctl PATH resume'; what is read is fetched and kept");
  app.add_flag("--allow-other", a.allow_other, "allow access by other users, as the permissions say");
  app.add_flag("-f,--foreground", a.foreground, "stay in the foreground");
  app.add_option("-o", a.fuse_options, "mount options for FUSE")->allow_extra_args(false);
}

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

// The lines of a TOML file as options in front of those of the command line, unless it has them itself.
std::vector<std::string> with_config(std::vector<std::string> args) {
  std::string file;
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (args[i] == "--config" && i + 1 < args.size()) file = args[i + 1];
    if (args[i].starts_with("--config=")) file = args[i].substr(9);
  }
  if (file.empty() || args.empty()) return args;
  std::ifstream in{file};
  if (!in) throw error(exit_code::usage, fmt::format("--config {}: cannot be read; check the path", printable(file)));
  std::vector<std::string> from_file;
  for (const auto& item : CLI::ConfigTOML{}.from_config(in)) {
    if (item.name == "++" || item.name == "--") continue;  // a section's begin and end
    const std::string option = "--" + item.name;
    const bool given = std::any_of(args.begin(), args.end(),
                                   [&](const auto& a) { return a == option || a.starts_with(option + "="); });
    if (given) continue;
    for (const auto& value : item.inputs) {
      if (value == "false") continue;
      from_file.push_back(value == "true" ? option : option + "=" + value);
    }
  }
  args.insert(args.begin() + 1, from_file.begin(), from_file.end());
  return args;
}

void add_report_options(CLI::App& app, arguments& a, raw& r) {
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

// A mount in the background runs in "/", and other commands, which take these from the index, wherever they are called.
void make_absolute(remote::settings& s) {
  const auto absolute = [](std::string& file) {
    if (!file.empty()) file = std::filesystem::absolute(file).lexically_normal();
  };
  for (auto* files : {&s.identities, &s.known_hosts}) std::for_each(files->begin(), files->end(), absolute);
  if (s.ssh_config != "none") absolute(s.ssh_config);  // ssh's word for no file
}

void finish(arguments& a, const raw& r, const CLI::App& used) {
  if (!r.limit.empty()) a.limit = size_option("--limit", r.limit);
  if (!r.min_free.empty()) a.settings.min_free = size_option("--min-free", r.min_free);
  if (!r.umask.empty()) a.umask = octal_option("--umask", r.umask);
  a.settings.links = index::link_policy_named(r.links).value_or(index::link_policy::inside);
  a.settings.io_timeout = std::chrono::seconds(r.io_timeout);
  a.settings.rescan = std::chrono::seconds(r.rescan);
  a.settings.quiet = std::chrono::seconds(r.quiet);
  make_absolute(a.settings);
  if ((a.command == "mount" || a.command == "sync") && (a.settings.source.empty() || a.destination.empty()))
    throw error(exit_code::usage, "SOURCE or DESTINATION is empty; see ferryfs --help");
  if (a.command == "mount") {
    if (used.count("--uid") > 0) a.uid = r.uid;
    if (used.count("--gid") > 0) a.gid = r.gid;
  }
  if (a.command == "report") {
    a.json = r.format == "json";
    if (used.count("--id") > 0) a.id = r.id;
  }
  if (a.command == "status" && used.count("--wait") > 0) {
    a.wait = true;
    if (!r.wait.empty()) {
      std::uint64_t seconds = 0;
      const auto [end, problem] = std::from_chars(r.wait.data(), r.wait.data() + r.wait.size(), seconds);
      if (problem != std::errc{} || end != r.wait.data() + r.wait.size())
        throw error(exit_code::usage, fmt::format("--wait {}: not a number of seconds", printable(r.wait)));
      a.wait_seconds = seconds;
    }
  }
}

}  // namespace

std::optional<arguments> parse_command_line(int argc, const char* const* argv) {
  arguments a;
  raw r;
  CLI::App app{"ferryfs moves a picture archive from an old server to a new one while everybody goes on using it."};
  app.require_subcommand(1);
  app.set_version_flag("--version", version);

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

  std::vector<std::string> args{argv + std::min(argc, 1), argv + argc};
  try {
    args = with_config(std::move(args));
    std::reverse(args.begin(), args.end());  // as CLI11 takes them
    app.parse(args);
  } catch (const CLI::Success& done) {
    app.exit(done, std::cout, std::cerr);
    return std::nullopt;
  } catch (const CLI::Error& wrong) {
    std::string text = wrong.what();
    std::replace(text.begin(), text.end(), '\n', ' ');
    throw error(exit_code::usage, fmt::format("{}; see ferryfs --help", printable(text)));
  }
  const CLI::App* used = app.get_subcommands().front();
  a.command = used->get_name();
  if (a.command == "ctl") a.rate = std::exchange(r.config, "");
  const bool only_changed = a.verb == "rescan" && a.rate == "changed";
  if (a.command == "ctl" && (a.verb == "limit") == a.rate.empty() && !only_changed)
    throw error(exit_code::usage, a.verb == "limit"    ? "ctl limit: RATE is missing; write 20M, or 0 for no limit"
                                  : a.verb == "rescan" ? "ctl rescan: the only argument is 'changed'"
                                                       : "ctl: only limit takes a RATE");
  finish(a, r, *used);
  return a;
}

}  // namespace ferryfs::fs
