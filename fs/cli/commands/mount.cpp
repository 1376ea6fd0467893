// mount.
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <filesystem>

#include "fs/cli/commands/commands.hpp"
#include "fs/mount/kernel/mountpoint.hpp"
#include "fs/mount/session.hpp"
#include "fs/process/daemon.hpp"
#include "fs/process/engine.hpp"
#include "fs/process/holder.hpp"
#include "fs/process/log.hpp"
#include "fs/process/signals.hpp"
#include "fs/process/switches.hpp"
#include "index/base/path.hpp"

namespace ferryfs::fs {
namespace {

// As asked for now, or as it was left.
void begin_paused(remote::migration& m, bool asked_for, const std::string& mountpoint) {
  const bool was_paused = is_paused(m.readers().borrow()->meta);
  if (!asked_for && !was_paused) return;
  if (!asked_for) spdlog::warn("replication is still paused; ferryfs ctl {} resume resumes it", printable(mountpoint));
  const auto answer = set_switch(m, "pause", "");
  if (answer.error != 0) throw error(exit_code::local, answer.text.substr(0, answer.text.find('\n')));
}

void serve(const arguments& a, const std::string& mountpoint, const std::function<void()>& stands) {
  block_signals();
  log_to_stderr(a.log_level == "info" ? "warn" : a.log_level);
  mount_options options;
  options.mountpoint = mountpoint;
  options.fuse = a.fuse_options;
  options.allow_other = a.allow_other;
  check_fuse_options(options);
  const engine e = open_engine(a.settings, a.destination, mountpoint, need_source::sometime, a.limit);
  begin_paused(*e.archive, a.paused, mountpoint);
  say_what_is_lacking(*e.where);
  options.owner = {a.uid.value_or(e.where->uid()), a.gid.value_or(e.where->gid()), a.umask};
  serve_mount(*e.archive, options, [&] {
    tell_device(std::filesystem::path(e.where->log_path()).replace_filename("lock"), mountpoint);
    if (!a.foreground) log_to_file(e.where->log_path(), a.log_level);
    stands();
  });
}

}  // namespace

exit_code run_mount(const arguments& a) {
  // Before the destination is looked at: a dead mount over it would hide it. Its own links are not resolved for that.
  const std::string over = a.mountpoint.empty() ? a.destination : a.mountpoint;
  prepare_mountpoint(over, a.destination);
  const std::string mountpoint = real_path(over);
  if (a.foreground) {
    serve(a, mountpoint, [] {});
    return exit_code::complete;
  }
  return run_in_background([&](const auto& stands) { serve(a, mountpoint, stands); });
}

}  // namespace ferryfs::fs
