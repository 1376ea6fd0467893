#include "fs/cli/arguments.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <iostream>

#include "fs/cli/config_file.hpp"
#include "fs/cli/options.hpp"
#include "fs/text/size.hpp"
#include "index/base/error.hpp"
#include "index/base/path.hpp"

namespace ferryfs::fs {
namespace {

constexpr const char* version = "ferryfs 0.1.0";

std::uint64_t size_option(const char* name, const std::string& text) {
  const auto size = parse_size(text);
  if (!size)
    throw error(exit_code::usage,
                fmt::format("{} {}: not a size; write bytes, or 500K, 20M, 1G", name, printable(text)));
  return *size;
}

std::uint32_t octal_option(const char* name, const std::string& text) {
  std::uint32_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value, 8);
  if (problem != std::errc{} || end != text.data() + text.size() || value > 0777)
    throw error(exit_code::usage, fmt::format("{} {}: not an octal mask; write 022 or 077", name, printable(text)));
  return value;
}

// A mount in the background runs in "/", and other commands, which take these from the index, wherever they are called.
void make_absolute(remote::settings& s) {
  const auto absolute = [](std::string& file) {
    if (!file.empty()) file = std::filesystem::absolute(file).lexically_normal();
  };
  for (auto* files : {&s.identities, &s.known_hosts}) std::for_each(files->begin(), files->end(), absolute);
  if (s.ssh_config != "none") absolute(s.ssh_config);  // ssh's word for no file
}

void finish(arguments& a, const raw_options& r, const CLI::App& used) {
  if (!r.limit.empty()) a.limit = size_option("--limit", r.limit);
  if (!r.min_free.empty()) a.settings.min_free = size_option("--min-free", r.min_free);
  if (!r.umask.empty()) a.umask = octal_option("--umask", r.umask);
  a.settings.links = index::link_policy_named(r.links).value_or(index::link_policy::inside);
  a.settings.io_timeout = std::chrono::seconds(r.io_timeout);
  a.settings.rescan = std::chrono::seconds(r.rescan);
  a.settings.quiet = std::chrono::seconds(r.quiet);
  make_absolute(a.settings);
  if ((a.command == "mount" || a.command == "sync") && (a.settings.source.empty() || a.destination.empty()))
    throw error(exit_code::usage, "SOURCE or DESTINATION is empty; see ferryfs --help");
  if (a.command == "mount") {
    if (used.count("--uid") > 0) a.uid = r.uid;
    if (used.count("--gid") > 0) a.gid = r.gid;
  }
  if (a.command == "report") {
    a.json = r.format == "json";
    if (used.count("--id") > 0) a.id = r.id;
  }
  if (a.command == "status" && used.count("--wait") > 0) {
    a.wait = true;
    if (!r.wait.empty()) {
      std::uint64_t seconds = 0;
      const auto [end, problem] = std::from_chars(r.wait.data(), r.wait.data() + r.wait.size(), seconds);
      if (problem != std::errc{} || end != r.wait.data() + r.wait.size())
        throw error(exit_code::usage, fmt::format("--wait {}: not a number of seconds", printable(r.wait)));
      a.wait_seconds = seconds;
    }
  }
}

}  // namespace

std::optional<arguments> parse_command_line(int argc, const char* const* argv) {
  arguments a;
  raw_options r;
  CLI::App app{"ferryfs moves a picture archive from an old server to a new one while everybody goes on using it."};
  app.require_subcommand(1);
  app.set_version_flag("--version", version);
  add_commands(app, a, r);

  std::vector<std::string> args{argv + std::min(argc, 1), argv + argc};
  try {
    args = with_config(std::move(args));
    std::reverse(args.begin(), args.end());  // as CLI11 takes them
    app.parse(args);
  } catch (const CLI::Success& done) {
    app.exit(done, std::cout, std::cerr);
    return std::nullopt;
  } catch (const CLI::Error& wrong) {
    std::string text = wrong.what();
    std::replace(text.begin(), text.end(), '\n', ' ');
    throw error(exit_code::usage, fmt::format("{}; see ferryfs --help", printable(text)));
  }
  const CLI::App* used = app.get_subcommands().front();
  a.command = used->get_name();
  if (a.command == "ctl") a.rate = std::exchange(r.config, "");
  const bool only_changed = a.verb == "rescan" && a.rate == "changed";
  if (a.command == "ctl" && (a.verb == "limit") == a.rate.empty() && !only_changed)
    throw error(exit_code::usage, a.verb == "limit"    ? "ctl limit: RATE is missing; write 20M, or 0 for no limit"
                                  : a.verb == "rescan" ? "ctl rescan: the only argument is 'changed'"
                                                       : "ctl: only limit takes a RATE");
  finish(a, r, *used);
  return a;
}

}  // namespace ferryfs::fs
