#include "fs/virtual/control.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "fs/push_text.hpp"
#include "fs/size.hpp"
#include "index/error.hpp"
#include "index/path.hpp"
#include "remote/fetch/fetch_below.hpp"

namespace ferryfs::fs {
namespace {

// As the client turns it back into its exit code.
int errno_for(exit_code code) {
  switch (code) {
    case exit_code::complete:
      return 0;
    case exit_code::incomplete:
      return EIO;
    case exit_code::usage:
      return EINVAL;
    case exit_code::source:
      return EHOSTDOWN;
    case exit_code::local:
      break;
  }
  return ENOSPC;
}

}  // namespace

control::~control() {
  for (auto& t : running_) t.request_stop();
  for (auto& t : running_) t.join();
}

void control::run(std::string_view command, std::function<void(const result&)> done) {
  while (command.ends_with('\n')) command.remove_suffix(1);
  const auto space = command.find(' ');
  const std::string_view verb = command.substr(0, space);
  const std::string argument{space == std::string_view::npos ? "" : command.substr(space + 1)};
  if (verb == "pause") {
    migration_.replicate().pause();
    migration_.limit().hold(true);
    return done({0, "replication is paused\n"});
  }
  if (verb == "resume") {
    migration_.limit().hold(false);
    migration_.replicate().resume();
    return done({0, "replication goes on\n"});
  }
  if (verb == "limit") {
    const auto rate = parse_size(argument);
    if (!rate)
      return done({EINVAL, fmt::format("limit {}: no rate; write bytes a second as 500K or 20M, 0 for none\n",
                                       printable(argument))});
    migration_.limit().set(*rate);
    return done({0, *rate == 0 ? "no limit\n" : fmt::format("limit {}/s\n", human_size(*rate))});
  }
  if (verb == "rescan")
    return migration_.rescan([done](const remote::source_scan::result& r) {
      r.complete() ? done({0, fmt::format("scanned {} directories, {} names\n", r.directories + r.skipped, r.names)})
                   : done({EHOSTDOWN, r.failures.front().text + "\n"});
    });
  if (verb == "fetch")
    return start([this, argument](const auto& stop) { return fetch(argument, stop); }, std::move(done));
  if (verb == "push")
    return start([this, argument](const auto& stop) { return push(argument, stop); }, std::move(done));
  done({EINVAL, fmt::format("{}: unknown; there are pause, resume, rescan, limit RATE, fetch PATH and push PATH\n",
                            printable(verb))});
}

control::result control::fetch(const std::string& path, const std::stop_token& stop) {
  const auto r = remote::fetch_below(migration_, path, stop);
  if (r.failed == 0) return {0, fmt::format("fetched {} files, {}\n", r.files, human_size(r.bytes))};
  return {EIO, fmt::format("{} of {} failed, the first: {}\n", r.failed, r.failed + r.files, r.first_failure)};
}

control::result control::push(std::string argument, const std::stop_token& stop) {
  constexpr std::string_view flag = "--overwritten ";
  const bool overwritten = argument.starts_with(flag);
  if (overwritten) argument.erase(0, flag.size());
  if (migration_.limit().holds()) return {EAGAIN, "background work is paused; ferryfs ctl PATH resume lets it go on\n"};
  if (const auto health = migration_.source().state(); !health.reachable) return {EHOSTDOWN, health.why + '\n'};
  try {
    const auto [code, text] = words_for(remote::pusher{migration_, overwritten}.run(argument, stop));
    return {errno_for(code), text + '\n'};
  } catch (const error& e) {
    return {errno_for(e.code()), e.what() + std::string("\n")};
  }
}

void control::start(std::function<result(const std::stop_token&)> work, std::function<void(const result&)> done) {
  const std::lock_guard lock{mutex_};
  for (const auto id : std::exchange(ended_, {}))
    std::erase_if(running_, [&](std::jthread& t) { return t.get_id() == id; });
  running_.emplace_back([this, work = std::move(work), done = std::move(done)](const std::stop_token& stop) {
    done(work(stop));
    const std::lock_guard relock{mutex_};
    ended_.push_back(std::this_thread::get_id());
  });
}

}  // namespace ferryfs::fs
