// skip, resolve, ready and verify: through the mount where there is one, else by an engine of their own.
#include <fmt/format.h>

#include <cstdio>
#include <functional>
#include <future>
#include <sstream>

#include "fs/cli/commands/commands.hpp"
#include "fs/cli/control_client.hpp"
#include "fs/cli/locate.hpp"
#include "fs/cli/with_progress.hpp"
#include "fs/process/engine.hpp"
#include "fs/process/log.hpp"
#include "fs/process/signals.hpp"
#include "fs/virtual/operator_commands.hpp"
#include "index/base/path.hpp"

namespace ferryfs::fs {
namespace {

using remote::migration;
using work = std::function<command_result(migration&, const std::string& path)>;

command_result decide(const archive_location& where, const std::string& command, need_source need, const work& alone) {
  if (where.mounted) return ask(where.root, command);
  log_to_stderr("critical");
  const engine e = open_engine(known_settings(where.root), where.root, "", need);
  const command_result a = alone(*e.archive, where.relative);
  e.archive->stop();
  return a;
}

// Prints what was done to stdout, and what was not to stderr.
exit_code show(const command_result& a) {
  std::istringstream lines{a.text};
  std::string line;
  for (bool first = true; std::getline(lines, line); first = false) {
    const bool sum = first && (a.error == 0 || a.text.find('\n') < a.text.size() - 1);
    std::fprintf(sum ? stdout : stderr, "%s%s\n", sum ? "" : "ferryfs: ", line.c_str());
  }
  return code_of(a);
}

// Each path by itself: the worst result counts.
exit_code for_each(const std::vector<std::string>& paths,
                   const std::function<command_result(const archive_location&)>& one) {
  exit_code worst = exit_code::complete;
  for (const auto& path : paths) {
    try {
      worst = std::max(worst, show(one(locate(path))));
    } catch (const error& e) {
      std::fprintf(stderr, "ferryfs: %s\n", e.what());
      worst = std::max(worst, e.code());
    }
  }
  return worst;
}

exit_code print(const command_result& a) {
  std::fputs(a.text.c_str(), stdout);
  if (!a.text.ends_with('\n')) std::fputc('\n', stdout);
  return code_of(a);
}

command_result verify_alone(migration& m, const std::string& path, bool with_source) {
  std::stop_source stop;
  remote::verify_progress far;
  const signal_watcher watcher{[&](int) { stop.request_stop(); }};
  auto end = std::async(std::launch::async, [&] { return verify(m, path, with_source, far, stop.get_token()); });
  return with_progress(std::move(end), [&] { return verify_line(far); });
}

command_result ready_alone(migration& m, bool as_json) {
  std::stop_source stop;
  remote::verify_progress far;
  const signal_watcher watcher{[&](int) { stop.request_stop(); }};
  m.start({false, false});
  auto end = std::async(std::launch::async, [&] { return ready(m, {}, as_json, far, stop.get_token()); });
  return with_progress(std::move(end), [&] { return verify_line(far); });
}

}  // namespace

exit_code run_skip(const arguments& a) {
  return for_each(a.paths, [](const archive_location& where) {
    return decide(where, "skip " + where.relative, need_source::never,
                  [](migration& m, const std::string& path) { return skip(m, path, {}); });
  });
}

exit_code run_undelete(const arguments& a) {
  return for_each(a.paths, [](const archive_location& where) {
    return decide(where, "undelete " + where.relative, need_source::never,
                  [](migration& m, const std::string& path) { return undelete(m, path, {}); });
  });
}

exit_code run_resolve(const arguments& a) {
  const auto keep = *remote::keep_named(a.keep);
  const auto need = keep == remote::keep::source ? need_source::now : need_source::never;
  return for_each(a.paths, [&](const archive_location& where) {
    return decide(where, fmt::format("resolve {} {}", a.keep, where.relative), need,
                  [&](migration& m, const std::string& path) { return resolve(m, path, keep, {}, {}); });
  });
}

exit_code run_ready(const arguments& a) {
  const archive_location where = locate(a.path);
  const std::string form = a.json ? " json" : "";
  if (a.quick)
    return print(decide(where, "ready quick" + form, need_source::if_there,
                        [&](migration& m, const std::string&) { return ready_quickly(m, {}, a.json); }));
  if (where.mounted) return print(ask_with_progress(where.root, "verify", "ready" + form));
  block_signals();
  return print(decide(where, "", need_source::if_there,
                      [&](migration& m, const std::string&) { return ready_alone(m, a.json); }));
}

exit_code run_verify(const arguments& a) {
  const archive_location where = locate(a.path);
  const std::string command = fmt::format("verify {} {}", a.with_source ? "source" : "here", where.relative);
  if (where.mounted) return print(ask_with_progress(where.root, "verify", command));
  block_signals();
  return print(decide(where, command, a.with_source ? need_source::if_there : need_source::never,
                      [&](migration& m, const std::string& path) { return verify_alone(m, path, a.with_source); }));
}

}  // namespace ferryfs::fs
