// push: what is new here, to the source; through the mount where there is one.
#include <chrono>
#include <cstdio>
#include <stop_token>
#include <thread>

#include "fs/cli/commands/commands.hpp"
#include "fs/cli/control_client.hpp"
#include "fs/cli/locate.hpp"
#include "fs/cli/progress.hpp"
#include "fs/cli/with_progress.hpp"
#include "fs/process/engine.hpp"
#include "fs/process/log.hpp"
#include "fs/process/signals.hpp"
#include "fs/report/recorder.hpp"
#include "fs/virtual/control_line.hpp"
#include "fs/virtual/push_summary.hpp"
#include "index/base/exception_barrier.hpp"
#include "index/base/wait_for_stop.hpp"
#include "remote/engine/scan/destination_scan.hpp"

namespace ferryfs::fs {
namespace {

using namespace std::chrono_literals;

// Draws how far it is until it is destroyed.
class drawn_push {
 public:
  explicit drawn_push(remote::pusher& p)
      : thread_([&p](const std::stop_token& stop) {
          progress shown;
          while (!wait_for_stop(stop, 500ms)) contain("progress", [&] { shown.show(push_line(p.so_far())); });
        }) {}

 private:
  std::jthread thread_;
};

// Files that came to the destination while nothing was mounted are new as well.
push_summary push_unmounted(const archive_location& where, bool overwritten) {
  block_signals();
  log_to_stderr("critical");
  std::stop_source stop;
  const signal_watcher watcher{[&](int) { stop.request_stop(); }};
  const engine e = open_engine(known_settings(where.root), where.root, "", need_source::now);
  auto& m = *e.archive;
  recorder reports{m};
  const auto begun = wall_clock::now();
  remote::directory_cache none;
  remote::scan_destination(*e.where, m.index(), m.readers(), stop.get_token(), none);
  remote::pusher p{{m.setup(), m.where(), m.source(), m.index(), m.readers(), m.limit(), m.suspicion()}, overwritten};
  remote::push_result r;
  {
    const drawn_push shown{p};
    r = p.run(where.relative, stop.get_token());
  }
  m.stop();
  reports.try_record(push_job(r), begun);
  return summary_of(r);
}

}  // namespace

exit_code run_push(const arguments& a) {
  const archive_location where = locate(a.path);
  if (where.mounted) {
    const control_line line{"push", a.overwritten ? "--overwritten" : "", where.relative};
    const auto answer = ask_with_progress(where.root, "push", text_of(line));
    if (answer.error != 0) throw error(code_of(answer), answer.text);
    std::printf("%s\n", answer.text.c_str());
    return exit_code::complete;
  }
  const auto [code, text] = push_unmounted(where, a.overwritten);
  if (code != exit_code::complete) throw error(code, text);
  std::printf("%s\n", text.c_str());
  return code;
}

}  // namespace ferryfs::fs
