// ferryfs: parse, run one command, turn what it throws into one line and an exit code.
#include <SQLiteCpp/Exception.h>
#include <libssh2.h>
#include <malloc.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <map>

#include "fs/cli/commands/commands.hpp"
#include "index/base/path.hpp"
#include "index/db/database.hpp"
#include "remote/source/local/file_process.hpp"

namespace {

using namespace ferryfs;

// Pictures in flight each hold a file open.
void raise_open_files() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

exit_code run(const fs::arguments& a) {
  static const std::map<std::string, exit_code (*)(const fs::arguments&)> commands{
      {"mount", fs::run_mount},     {"sync", fs::run_sync},
      {"scan", fs::run_scan},       {"status", fs::run_status},
      {"fetch", fs::run_fetch},     {"ctl", fs::run_ctl},
      {"skip", fs::run_skip},       {"undelete", fs::run_undelete},
      {"resolve", fs::run_resolve}, {"ready", fs::run_ready},
      {"verify", fs::run_verify},   {"push", fs::run_push},
      {"report", fs::run_report},   {"log", fs::run_log}};
  return commands.at(a.command)(a);
}

}  // namespace

int main(int argc, char** argv) {
  if (remote::run_as_file_process(argc, argv)) return 0;
  mallopt(M_ARENA_MAX, 4);  // buffers pass from thread to thread: more arenas only hold more memory
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGIO, SIG_IGN);  // of leases: fs/mount/state/mapped_files.cpp
  raise_open_files();
  libssh2_init(0);
  try {
    const auto a = fs::parse_command_line(argc, argv);
    return a ? static_cast<int>(run(*a)) : 0;
  } catch (const error& e) {
    std::fprintf(stderr, "ferryfs: %s\n", e.what());
    return static_cast<int>(e.code());
  } catch (const SQLite::Exception& e) {  // opening it found nothing wrong, a query did
    try {
      index::throw_index_error("the destination's .ferryfs/index.db", e);
    } catch (const error& named) {
      std::fprintf(stderr, "ferryfs: %s\n", named.what());
      return static_cast<int>(named.code());
    }
  } catch (const std::exception& e) {
    std::fprintf(stderr, "ferryfs: %s\n", e.what());
    return static_cast<int>(exit_code::local);
  }
}
