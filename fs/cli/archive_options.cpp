// The options of the commands that work with both sides: mount and sync.
#include <CLI/CLI.hpp>

#include "fs/cli/options.hpp"

namespace ferryfs::fs {

void add_archive_options(CLI::App& command, arguments& a, raw_options& r) {
  auto& s = a.settings;
  command.add_option("SOURCE", s.source, "/dir, user@host:path or sftp://user@host:port/path")->required();
  command.add_option("DESTINATION", a.destination, "a directory on this server")->required();
  command.add_option("--identity", s.identities, "private key file (ed25519 or ecdsa)")->allow_extra_args(false);
  command.add_option("--known-hosts", s.known_hosts, "known_hosts file")->allow_extra_args(false);
  command.add_option("--ssh-config", s.ssh_config, "ssh client configuration");
  command.add_option("--sessions", s.sessions, "connections to the source, at most")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command.add_option("--limit", r.limit,
                     "limit of background replication in bytes a second, for example 500K or 20M; 0: no limit; stays "
                     "until it is set again");
  command.add_option("--exclude", s.exclude, "exclude names that match")->allow_extra_args(false);
  command.add_option("--links", r.links, "symbolic links to copy: those that point inside the archive, all or none")
      ->check(CLI::IsMember({"inside", "all", "none"}))
      ->capture_default_str();
  command
      .add_option("--profile", s.profile,
                  "generic or webcampak: excludes the temporary files that such an archive is known to hold")
      ->capture_default_str();
  command.add_option("--io-timeout", r.io_timeout, "seconds without an answer until the source counts as unreachable")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  command.add_option("--rescan", r.rescan, "seconds between scans of the source; 0: never")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();
  command.add_option("--min-free", r.min_free, "keep this much space free on the destination's disk (256M)");
  command.add_option("--keep-reports", s.keep_reports, "number of reports to keep")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  command
      .add_option("--quiet", r.quiet,
                  "seconds for which a recent picture must stay unchanged on the source before it counts as complete")
      ->check(CLI::Range(0, 86'400))
      ->capture_default_str();
  command
      .add_option("--believe-loss", s.believe_loss,
                  "percent of the source's pictures that may disappear at once; a larger loss (of 20 pictures or more) "
                  "is not believed")
      ->check(CLI::Range(0, 100))
      ->capture_default_str();
  command.add_option("--config", r.config, "TOML file with any of these options");
  command.add_option("--log-level", a.log_level, "debug, info, warn or error")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
      ->capture_default_str();
}

void add_mount_options(CLI::App& command, arguments& a, raw_options& r) {
  command.add_option("MOUNTPOINT", a.mountpoint, "where to mount; by default over the destination");
  command.add_option("--uid", r.uid, "owner to show for files that were given none of their own");
  command.add_option("--gid", r.gid, "group to show for files that were given none of their own");
  command.add_option("--umask", r.umask, "permission bits to clear, octal");
  command.add_flag(
      "--paused", a.paused,
      "start with background replication paused, until 'ferryfs ctl PATH resume'; what is read is fetched and kept");
  command.add_flag("--allow-other", a.allow_other, "allow access by other users, as the permissions say");
  command.add_flag("-f,--foreground", a.foreground, "stay in the foreground");
  command.add_option("-o", a.fuse_options, "mount options for FUSE")->allow_extra_args(false);
}

}  // namespace ferryfs::fs
