// status: from the mount's own files, or from the index of an archive that is not mounted.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <thread>

#include "fs/commands/commands.hpp"
#include "fs/control_client.hpp"
#include "fs/locate.hpp"
#include "fs/progress.hpp"
#include "fs/status.hpp"
#include "index/path.hpp"

namespace ferryfs::fs {
namespace {

using namespace std::chrono_literals;

json status_at(const located& where) {
  if (where.mounted) return read_status(where.root);
  index::reader r{fmt::format("{}/{}/index.db", where.root, own_directory)};
  return status_of(r);
}

void print(const json& s, bool as_json) {
  std::printf("%s%s", as_json ? s.dump(2).c_str() : status_text(s).c_str(), as_json ? "\n" : "");
}

exit_code code_of(const json& s) { return s["complete"].get<bool>() ? exit_code::complete : exit_code::incomplete; }

// Draws on until it is complete, or until the time is over, or for ever.
json watch(const located& where, const arguments& a) {
  const auto begun = std::chrono::steady_clock::now();
  progress shown;
  while (true) {
    json s = status_at(where);
    const bool late =
        a.wait_seconds && std::chrono::steady_clock::now() - begun >= std::chrono::seconds(*a.wait_seconds);
    if (a.wait && (s["complete"].get<bool>() || late)) return s;
    if (a.watch && a.json)
      std::printf("%s\n", s.dump().c_str()), std::fflush(stdout);
    else if (!a.json)
      shown.show(status_line(s));
    std::this_thread::sleep_for(a.wait && !a.watch ? 200ms : 1s);
  }
}

}  // namespace

exit_code run_status(const arguments& a) {
  const located where = locate(a.path);
  const json s = a.watch || a.wait ? watch(where, a) : status_at(where);
  print(s, a.json);
  return code_of(s);
}

}  // namespace ferryfs::fs
