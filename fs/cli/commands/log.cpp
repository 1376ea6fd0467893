// log: what the archive's log holds, and with -f what comes to it, as `tail -F` does.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <thread>

#include "fs/cli/commands/commands.hpp"
#include "fs/cli/locate.hpp"
#include "fs/cli/log_reader.hpp"
#include "fs/cli/output.hpp"
#include "index/base/path.hpp"

namespace ferryfs::fs {
namespace {

using namespace std::chrono_literals;

std::string own_of(const std::string& path) { return fmt::format("{}/{}", locate(path).root, own_directory); }

// The archive may have been mounted or unmounted since the log was last read: then the log stands elsewhere. The reason
// that keeps it from being read is said once.
void follow(const std::string& path, log_reader& log, const log_reader::on_line& print, output& out) {
  std::string said;
  bool goes_on = true;
  while (goes_on) {
    try {
      goes_on = log.read_new(print);
      said.clear();
    } catch (const error& e) {
      if (said != e.what()) std::fprintf(stderr, "ferryfs: %s; waiting for it\n", e.what());
      said = e.what();
      try {
        log.move_to(own_of(path));
      } catch (const error&) {  // of what is not there at all, the reason above is the better one
      }
    }
    out.finish();
    std::this_thread::sleep_for(250ms);
  }
}

}  // namespace

exit_code run_log(const arguments& a) {
  log_reader log{own_of(a.path)};
  output out;
  const auto print = [&](std::string_view line) { return out.add(printable(line) + '\n'); };
  if (a.follow)
    follow(a.path, log, print, out);
  else
    log.read_new(print, true);
  out.finish();
  return exit_code::complete;
}

}  // namespace ferryfs::fs
