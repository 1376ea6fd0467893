#include "fs/process/switches.hpp"

#include <fmt/format.h>

#include <cerrno>

#include "fs/process/settings_json.hpp"
#include "fs/text/size.hpp"
#include "index/base/path.hpp"

namespace ferryfs::fs {
namespace {

constexpr const char* paused_key = "paused";

template <typename Change>
command_result remember(remote::migration& m, const std::string& text, Change change) {
  try {
    m.index().run(change);
  } catch (const std::exception& e) {
    return {ENOSPC, fmt::format("{}, but only until the unmount, as it could not be saved: {}\n", text, e.what())};
  }
  return {0, text + '\n'};
}

command_result set_pause(remote::migration& m, bool on) {
  m.limit().hold(on);
  if (on) {
    m.replicate().pause();
  } else if (m.may_replicate() &&
             (m.all_listed() || !m.scan_state().running)) {  // else the first scan lets it go on, once it has ended
    m.replicate().resume();
  }
  return remember(m, on ? "replication is paused" : "replication is resumed",
                  [on](index::transaction& t) { write_pause(t, on); });
}

command_result set_limit(remote::migration& m, const std::string& argument) {
  const auto rate = parse_size(argument);
  if (!rate)
    return {EINVAL,
            fmt::format("limit {}: not a rate; write bytes a second, for example 500K or 20M, or 0 for no limit\n",
                        printable(argument))};
  m.limit().set(*rate);
  return remember(m, *rate == 0 ? "no limit" : fmt::format("limit {}/s", human_size(*rate)),
                  [&](index::transaction& t) {
                    auto s = read_settings(t.meta).value_or(m.setup());
                    s.limit = *rate;
                    write_settings(t, s);
                    t.promise(root_inode);
                  });
}

}  // namespace

bool is_paused(index::get_meta& meta) { return meta(paused_key) == "1"; }

void write_pause(index::transaction& t, bool on) {
  t.put_meta(paused_key, on ? "1" : "0");
  t.promise(root_inode);
}

bool is_switch(std::string_view verb) { return verb == "pause" || verb == "resume" || verb == "limit"; }

command_result set_switch(remote::migration& m, std::string_view verb, const std::string& argument) {
  return verb == "limit" ? set_limit(m, argument) : set_pause(m, verb == "pause");
}

}  // namespace ferryfs::fs
