// fetch and ctl: through the mount where there is one.
#include <fmt/format.h>

#include <cstdio>

#include "fs/cli/commands/commands.hpp"
#include "fs/cli/control_client.hpp"
#include "fs/cli/locate.hpp"
#include "fs/process/engine.hpp"
#include "fs/process/log.hpp"
#include "fs/process/switches.hpp"
#include "fs/text/size.hpp"
#include "index/base/path.hpp"
#include "remote/engine/decide/fetch_below.hpp"

namespace ferryfs::fs {
namespace {

// Without a mount: the engine works for these paths alone.
void fetch_unmounted(const archive_location& where) {
  log_to_stderr("critical");
  const engine e = open_engine(known_settings(where.root), where.root, "", need_source::now);
  auto& m = *e.archive;
  const auto r = remote::fetch_below(m.index(), m.readers(), m.fetch(), where.relative, {});
  m.stop();
  if (r.failed > 0)
    throw error(exit_code::incomplete,
                fmt::format("{} of {} failed, the first: {}", r.failed, r.failed + r.files, r.first_failure));
  std::printf("fetched %s files, %s\n", human_count(static_cast<std::int64_t>(r.files)).c_str(),
              human_size(r.bytes).c_str());
}

// Without a mount: what the next one is to find.
exit_code set_unmounted(const archive_location& where, const arguments& a) {
  if (!is_switch(a.verb))
    throw error(exit_code::usage, fmt::format("{}: not mounted; ferryfs scan looks at both sides without a mount",
                                              printable(where.root)));
  log_to_stderr("critical");
  const engine e = open_engine(known_settings(where.root), where.root, "", need_source::never);
  auto answer = set_switch(*e.archive, a.verb, a.rate);
  answer.text.pop_back();  // its newline
  if (answer.error != 0) throw error(code_of(answer), answer.text);
  std::printf("%s\n", answer.text.c_str());
  return exit_code::complete;
}

}  // namespace

exit_code run_fetch(const arguments& a) {
  exit_code worst = exit_code::complete;
  for (const auto& path : a.paths) {
    try {
      const archive_location where = locate(path);
      if (where.mounted)
        std::printf("%s\n", send_command(where.root, "fetch " + where.relative).c_str());
      else
        fetch_unmounted(where);
    } catch (const error& e) {
      std::fprintf(stderr, "ferryfs: %s\n", e.what());
      worst = std::max(worst, e.code());
    }
  }
  return worst;
}

exit_code run_ctl(const arguments& a) {
  const archive_location where = locate(a.path);
  if (!where.mounted) return set_unmounted(where, a);
  const std::string command = a.rate.empty() ? a.verb : a.verb + ' ' + a.rate;
  // A push or verify that runs keeps `control` to itself; what is done at once does not wait for it.
  std::printf("%s\n", send_command(where.root, command, a.verb == "rescan" ? "control" : "watch").c_str());
  return exit_code::complete;
}

}  // namespace ferryfs::fs
