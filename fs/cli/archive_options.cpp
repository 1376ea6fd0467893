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
  command.add_option("--sessions", s.sessions, "connections to the source at most")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command.add_option("--limit", r.limit,
                     "bytes a second for background replication, as 500K or 20M; 0: none; kept until set again");
  command.add_option("--exclude", s.exclude, "leave out names that match")->allow_extra_args(false);
  command
      .add_option(
          "--links", r.links,
          "symbolic links of the source to take over: those that lead nowhere but into the archive, all or none")
      ->check(CLI::IsMember({"inside", "all", "none"}))
      ->capture_default_str();
  command.add_option("--profile", s.profile, "generic or webcampak: leaves out that archive's junk")
      ->capture_default_str();
  command.add_option("--io-timeout", r.io_timeout, "seconds of silence until the source counts as down")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  command.add_option("--rescan", r.rescan, "seconds between looks at the source; 0: never")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();
  command.add_option("--min-free", r.min_free, "leave this much space on the destination's disk (256M)");
  command.add_option("--keep-reports", s.keep_reports, "how many reports stay in the history")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  command
      .add_option("--quiet", r.quiet,
                  "seconds that a young picture must not change on the source before it counts as whole")
      ->check(CLI::Range(0, 86'400))
      ->capture_default_str();
  command
      .add_option("--believe-loss", s.believe_loss,
                  "percent of the source's pictures that may be gone at once; more, and 20 at least, is not believed")
      ->check(CLI::Range(0, 100))
      ->capture_default_str();
  command.add_option("--config", r.config, "TOML file with any of these options");
  command.add_option("--log-level", a.log_level, "debug, info, warn or error")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
      ->capture_default_str();
}

void add_mount_options(CLI::App& command, arguments& a, raw_options& r) {
  command.add_option("MOUNTPOINT", a.mountpoint, "where to mount; the destination itself if left out");
  command.add_option("--uid", r.uid, "owner of what is shown");
  command.add_option("--gid", r.gid, "group of what is shown");
  command.add_option("--umask", r.umask, "permission bits to take away, octal");
  command.add_flag("--paused", a.paused,
                   "replicate nothing until 'ferryfs ctl PATH resume'; what is read is fetched and kept");
  command.add_flag("--allow-other", a.allow_other, "let other users in, as their permissions allow");
  command.add_flag("-f,--foreground", a.foreground, "stay in the foreground");
  command.add_option("-o", a.fuse_options, "options for FUSE")->allow_extra_args(false);
}

}  // namespace ferryfs::fs
