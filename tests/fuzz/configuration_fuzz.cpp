// What a person writes down for ferryfs: a TOML file, the words of the command line, SOURCE; and what it writes down
// for itself, the settings in the index.
#include <algorithm>
#include <iostream>

#include "fs/cli/arguments.hpp"
#include "fs/process/settings_text.hpp"
#include "fs/text/size.hpp"
#include "index/base/error.hpp"
#include "remote/source/ssh/target.hpp"
#include "tests/fuzz/scratch.hpp"

namespace {

using namespace ferryfs;
using fuzz::demand;

std::string without_nul(std::string_view text) { return std::string(text.substr(0, text.find('\0'))); }

void check(const fs::arguments& a) {
  const auto& s = a.settings;
  demand(s.sessions >= 1 && s.sessions <= 64, "--sessions is in its range");
  demand(s.io_timeout.count() >= 1 && s.io_timeout.count() <= 3600, "--io-timeout is in its range");
  demand(s.rescan.count() >= 0 && s.rescan.count() <= 1'000'000, "--rescan is in its range");
  demand(s.keep_reports >= 1 && s.keep_reports <= 100'000, "--keep-reports is in its range");
  demand(s.quiet.count() >= 0 && s.quiet.count() <= 86'400, "--quiet is in its range");
  demand(s.believe_loss <= 100, "--believe-loss is in its range");
  demand(a.umask <= 0777, "--umask is in its range");
  demand(a.command == "mount" || a.command == "sync", "the command is the one that was called");
}

// Usage, and no other exception.
template <typename Parse>
void refuse(Parse&& parse) {
  try {
    parse();
  } catch (const error& e) {
    demand(e.code() == exit_code::usage && fuzz::is_one_line(e.what()),
           "what is no configuration is refused in a line");
  }
}

void parse(const std::vector<std::string>& words) {
  std::vector<const char*> argv;
  for (const auto& w : words) argv.push_back(w.c_str());
  refuse([&] {
    if (const auto a = fs::parse_command_line(static_cast<int>(argv.size()), argv.data())) check(*a);
  });
}

void file(std::string_view text) {
  const auto path = fuzz::write_scratch("config", text);
  parse({"ferryfs", "mount", "/old", "/new", "--config", path});
}

void words(fuzz::input& in) {
  std::vector<std::string> all{"ferryfs", in.flag() ? "mount" : "sync", "/old", "/new"};
  while (!in.empty() && all.size() < 12) all.push_back(without_nul(in.text()));
  if (std::any_of(all.begin(), all.end(), [](const auto& w) { return w.starts_with("--config"); })) return;
  parse(all);
}

void size(std::string_view text) {
  const auto n = fs::parse_size(text);
  if (!n) return;
  demand(text.find('\0') == std::string_view::npos, "a zero byte is in no size");
  demand(*n <= 9'000'000'000'000'000'000, "a size is below 9 EB");
  demand(fs::parse_size(std::to_string(*n)).has_value(), "a size in bytes is one");
  demand(!fs::human_size(*n).empty(), "a size is shown");
}

void source(const std::string& text) {
  if (!remote::ssh::is_remote(text)) return;
  refuse([&] {
    const auto t = remote::ssh::resolve(text, {});
    demand(!t.host.empty() && !t.host.starts_with('-'), "a host has a name, and is no option");
    demand(t.port >= 1 && t.port <= 65535, "a port is one");
    demand(!t.path.empty(), "a path is one");
    demand(t.user.find(':') == std::string::npos, "there is no password in a user's name");
  });
}

void settings(std::string_view text) {
  try {
    const auto s = fs::parse_settings(std::string(text));
    const std::string written = fs::text_of(s);
    demand(fs::text_of(fs::parse_settings(written)) == written, "what was read is written so that it is read");
  } catch (const error& e) {
    demand(e.code() == exit_code::local && fuzz::is_one_line(e.what()), "what is damaged is said in a line");
  }
}

void settings_of_bytes(fuzz::input& in) {
  remote::settings s;
  s.sessions = static_cast<decltype(s.sessions)>(in.byte());
  s.limit = in.number(8), s.min_free = in.number(8);
  s.source = in.text(), s.ssh_config = in.text(), s.mountpoint = in.text();
  s.exclude = {std::string(in.text()), std::string(in.text())};
  s.identities = {std::string(in.text())};
  s.known_hosts = {std::string(in.rest())};
  const auto back = fs::parse_settings(fs::text_of(s));
  demand(back.source == s.source && back.exclude == s.exclude && back.identities == s.identities &&
             back.known_hosts == s.known_hosts && back.ssh_config == s.ssh_config && back.mountpoint == s.mountpoint,
         "paths and patterns of any bytes are read back");
  demand(back.limit == s.limit && back.min_free == s.min_free && back.sessions == s.sessions, "numbers are read back");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t length) {
  static const bool silent = [] {
    ::setenv("PATH", "/nowhere", 1);  // so that no ssh is asked
    std::cout.setstate(std::ios::failbit);
    return true;
  }();
  fuzz::input in{data, length};
  switch (silent ? in.below(6) : 0) {
    case 0:
      file(in.rest());
      break;
    case 1:
      words(in);
      break;
    case 2:
      size(in.rest());
      break;
    case 3:
      source(without_nul(in.rest()));
      break;
    case 4:
      settings(in.rest());
      break;
    default:
      settings_of_bytes(in);
  }
  return 0;
}
