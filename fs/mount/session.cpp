#include "fs/mount/session.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string_view>

#include "fs/mount/kernel/forced_unmount.hpp"
#include "fs/mount/kernel/invalidator.hpp"
#include "fs/mount/kernel/mountpoint.hpp"
#include "fs/mount/operations/mount_context.hpp"
#include "fs/mount/operations/operations.hpp"
#include "fs/process/signals.hpp"
#include "fs/virtual/files.hpp"
#include "index/base/error.hpp"
#include "index/base/path.hpp"

namespace ferryfs::fs {
namespace {

// Handlers wait for the disk (fsync), for the index's writer and for each other's changes of names. Of libfuse's ten
// threads ten uploads take all, and a reader who only wants to look waits with them. A thread costs a few pages of
// stack, and 1 MiB once it has taken a write of that size: 68 MiB at most, for as long as so many wait at once.
constexpr unsigned most_threads = 64;
constexpr unsigned idle_threads = 16;  // kept; those beyond end when they find nothing to do

struct session_deleter {
  void operator()(fuse_session* s) const noexcept { fuse_session_destroy(s); }
};
struct config_deleter {
  void operator()(fuse_loop_config* c) const noexcept { fuse_loop_cfg_destroy(c); }
};
struct fuse_arguments {
  fuse_args list = FUSE_ARGS_INIT(0, nullptr);
  ~fuse_arguments() { fuse_opt_free_args(&list); }
  void add(const std::string& word) { fuse_opt_add_arg(&list, word.c_str()); }
};

// Takes the word out of the options of -o, which are ours to read before libfuse does. True: it was there.
bool takes_word(fuse_args& list, const char* word) {
  int there = 0;
  const fuse_opt ours[] = {{word, 0, 1}, FUSE_OPT_END};
  return fuse_opt_parse(&list, &there, ours, nullptr) == 0 && there != 0;
}

// libfuse would print by itself; here one line says what is wrong, and it is ours.
void log_of_fuse(fuse_log_level, const char* format, va_list values) {
  const int kept = errno;  // which says more than the line does
  char text[1024];
  std::vsnprintf(text, sizeof text, format, values);
  std::string_view line{text};
  while (line.ends_with('\n')) line.remove_suffix(1);
  spdlog::debug("{}", line);
  errno = kept;
}

std::unique_ptr<fuse_session, session_deleter> make_session(mount_context* v, const std::string& source,
                                                            const mount_options& options) {
  fuse_set_log_func(log_of_fuse);
  fuse_arguments args;
  args.add("ferryfs");
  args.add("-osubtype=ferryfs,default_permissions");
  std::string name = printable(source);
  for (auto at = name.find(','); at != std::string::npos; at = name.find(',', at + 2)) name.insert(at, 1, '\\');
  args.add("-ofsname=" + name);
  if (options.allow_other) args.add("-oallow_other");
  for (const auto& o : options.fuse) args.add("-o" + o);
  if (takes_word(args.list, "nopassthrough") && v != nullptr) v->tree.passthrough.forbid();
  std::unique_ptr<fuse_session, session_deleter> session{
      fuse_session_new(&args.list, &operations(), sizeof(fuse_lowlevel_ops), v)};
  if (!session) throw error(exit_code::usage, "FUSE does not accept the options given with -o; see mount.fuse3(8)");
  return session;
}

}  // namespace

void check_fuse_options(const mount_options& options) { make_session(nullptr, "", options); }

void serve_mount(remote::migration& archive, const mount_options& options, const std::function<void()>& stands) {
  invalidator kernel;
  recorder reports{archive};
  archive.on_scanned([&](const remote::source_scan::result& r, bool asked_for, wall_clock::time_point begun) {
    if (std::any_of(r.failures.begin(), r.failures.end(),
                    [](const remote::failure& f) { return f.why == remote::cause::cancelled; }))
      return;  // the mount is ending
    job j = scan_job(r);
    j.automatic = !asked_for;
    reports.try_record(std::move(j), begun);
  });
  // In place: its parts have threads and stay where they are.
  std::unique_ptr<mount_context> v{new mount_context{
      options.mountpoint,
      virtual_directory{virtual_files(archive, [&v] { return v->tree.passthrough.works(); }),
                        archive.where().reports_path(), archive.where().log_path(), ::getuid(), ::getgid()},
      parked_requests{archive.setup().io_timeout},
      {},
      {archive, options.owner},
      control{archive, reports}}};
  v->commands.watch(v->tree.open_files_query());
  archive.on_changes([&kernel, &tree = v->tree](std::vector<index::change> changes) {
    tree.notice(changes);
    kernel.notify(std::move(changes));
  });
  const auto session = make_session(v.get(), archive.setup().source, options);
  if (fuse_session_mount(session.get(), options.mountpoint.c_str()) != 0)
    throw error(exit_code::local,
                fmt::format("{}: cannot be mounted; check that /dev/fuse exists and that you may use it",
                            printable(options.mountpoint)));
  kernel.start(session.get());
  // However the service ends: first nothing waits for the network any more, then the kernel is no longer notified.
  // Where the kernel does not end it, both happen while requests are still answered: the kernel may wait for an answer
  // while it is being notified.
  const auto stop_services = [&] {
    archive.stop();
    kernel.stop();
  };
  const struct ending {
    std::function<void()> run;
    ~ending() { run(); }
  } end{[&] {
    stop_services();
    // Jobs of the index that nobody waits for may still commit, and tell of it.
    archive.on_changes({});
    archive.set_open_files({});
    v.reset();
    if (stands_at(options.mountpoint)) fuse_session_unmount(session.get());
  }};
  {
    forced_unmount end_by_signal{session.get(), options.mountpoint, stop_services};
    const signal_watcher watcher{[&](int count) {
      if (count > 1) std::_Exit(static_cast<int>(exit_code::local));  // as safe as kill -9
      end_by_signal.begin();
    }};
    archive.start({});
    stands();
    const std::unique_ptr<fuse_loop_config, config_deleter> config{fuse_loop_cfg_create()};
    fuse_loop_cfg_set_clone_fd(config.get(), 1);
    fuse_loop_cfg_set_max_threads(config.get(), most_threads);
    fuse_loop_cfg_set_idle_threads(config.get(), idle_threads);
    fuse_session_loop_mt(session.get(), config.get());
  }
}

}  // namespace ferryfs::fs
