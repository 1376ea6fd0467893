// The command line, parsed: what the commands get.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "remote/engine/settings.hpp"

namespace ferryfs::fs {

struct arguments {
  std::string command;
  remote::settings settings;       // mount, sync
  std::string destination;         // mount, sync
  std::string mountpoint;          // mount; empty: the destination
  std::string path;                // scan, report, push, ctl, ready, verify, log
  std::vector<std::string> paths;  // fetch, status, skip, undelete, resolve
  std::string verb, rate;          // ctl

  std::optional<std::uint32_t> uid, gid;
  std::uint32_t umask = 0;
  bool paused = false;                 // mount
  std::optional<std::uint64_t> limit;  // mount, sync; bytes a second
  bool allow_other = false;
  bool foreground = false;
  bool follow = false;  // log
  std::vector<std::string> fuse_options;
  std::string log_level = "info";

  bool overwritten = false;       // push
  std::string keep;               // resolve
  bool with_source = false;       // verify
  bool quick = false;             // ready
  bool make_report = false;       // report --new
  std::string html;               // report --html
  std::optional<unsigned> id;     // report
  std::string list, since;        // report
  std::vector<unsigned> compare;  // report: nothing, or two numbers

  bool json = false, watch = false, wait = false, verbose = false, rebuild = false, believe = false;
  std::optional<std::uint64_t> wait_seconds;
};

// Parses the command line and the file that --config names; the command line wins. Throws ferryfs::error (usage), whose
// message is one line. Nothing: help or the version was asked for, and printed.
std::optional<arguments> parse_command_line(int argc, const char* const* argv);

}  // namespace ferryfs::fs
