#include "fs/virtual/control.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "fs/process/switches.hpp"
#include "fs/report/ready.hpp"
#include "fs/virtual/operator_commands.hpp"
#include "fs/virtual/push_summary.hpp"
#include "index/base/exception_barrier.hpp"
#include "index/base/path.hpp"
#include "remote/engine/decide/resolve.hpp"

namespace ferryfs::fs {
namespace {

constexpr std::size_t most_answered = 8000;  // bytes; the client reads 8192

control::result make_report(recorder& reports) {
  job j;
  j.name = "report";
  try {
    const auto made = reports.record(std::move(j), wall_clock::now());
    return {0, fmt::format("report {}\n", made->at("report").get<unsigned>())};
  } catch (const std::exception& e) {
    return {ENOSPC, std::string(e.what()) + '\n'};
  }
}

}  // namespace

control::~control() {
  std::list<running_command> all;
  {
    const lock held{mutex_};
    all.swap(commands_);
  }
  for (auto& c : all) c.running.request_stop();
}

void control::run(std::string_view command, std::function<void(const result&)> done) {
  if (command.ends_with('\n')) command.remove_suffix(1);
  const auto space = command.find(' ');
  const std::string_view verb = command.substr(0, space);
  const std::string argument{space == std::string_view::npos ? "" : command.substr(space + 1)};
  if (is_switch(verb)) return done(set_switch(migration_, verb, argument));
  if (verb == "rescan" && (argument.empty() || argument == "changed" || argument == "believe"))
    return rescan(argument != "changed", argument == "believe", std::move(done));
  if (verb == "progress") return done({0, argument == "push" ? pushing_.line() : verify_line(verifying_)});
  if (verb == "stop" && (argument == "push" || argument == "verify")) {
    const bool runs = (argument == "push" ? push_ : verify_).stop();
    return done({0, runs ? argument + " is being stopped\n" : fmt::format("no {} is running\n", argument)});
  }
  if (auto aside = long_work(verb, argument)) return run_aside(std::move(aside), std::move(done));
  done({EINVAL, fmt::format("{}: unknown command; there are pause, resume, rescan [changed|believe], limit RATE, fetch "
                            "PATH, push PATH, skip PATH, undelete PATH, resolve source|destination|both PATH, ready, "
                            "report, verify here|source PATH and stop push|verify\n",
                            printable(verb))});
}

void control::rescan(bool full, bool believe, std::function<void(const result&)> done) {
  using pass = remote::migration::pass;
  migration_.rescan(
      [done = std::move(done)](const remote::source_scan::result& r) {
        if (!r.suspicious.empty()) return done({EIO, r.suspicious + "\n"});
        if (!r.complete())
          return done({r.failures.front().of_connection() ? EHOSTDOWN : EIO, r.failures.front().text + "\n"});
        std::string text = fmt::format("scanned {} directories, {} names", r.directories + r.skipped, r.names);
        if (r.skipped > 0) text += fmt::format("; {} directories had not changed", r.skipped);
        done({0, text + "\n"});
      },
      full ? pass::full : pass::changed, believe);
}

// The work of a command that takes as long as the disk or the source takes; nothing: no such verb.
control::work control::long_work(std::string_view verb, const std::string& argument) {
  using stop = std::stop_token;
  if (verb == "fetch") return [this, argument](const stop& s) { return fetch_now(migration_, argument, s); };
  if (verb == "skip") return [this, argument](const stop& s) { return skip(migration_, argument, s); };
  if (verb == "ready" && argument.starts_with("quick"))
    return [this, argument](const stop&) { return ready_quickly(migration_, open_, argument == "quick json"); };
  if (verb == "ready")
    return [this, argument](const stop& s) {
      return verify_.run(s, [&](const stop& t) { return ready(migration_, open_, argument == "json", verifying_, t); });
    };
  if (verb == "undelete") return [this, argument](const stop& s) { return undelete(migration_, argument, s); };
  if (verb == "report") return [this](const stop&) { return make_report(recorder_); };
  if (verb == "push")
    return [this, argument](const stop& s) {
      return push_.run(s, [&](const stop& t) { return push_now(migration_, recorder_, argument, open_, pushing_, t); });
    };
  const auto space = argument.find(' ');
  const std::string how = argument.substr(0, space);
  const std::string path = space == std::string::npos ? "" : argument.substr(space + 1);
  if (const auto keep = remote::keep_named(how); verb == "resolve" && keep)
    return [this, keep = *keep, path](const stop& s) { return resolve(migration_, path, keep, open_, s); };
  if (verb == "verify" && (how == "here" || how == "source"))
    return [this, with_source = how == "source", path](const stop& s) {
      return verify_.run(s, [&](const stop& t) { return verify(migration_, path, with_source, verifying_, t); });
    };
  return {};
}

void control::run_aside(work w, std::function<void(const result&)> done) {
  const lock held{mutex_};
  std::erase_if(commands_, [](const running_command& c) { return c.ended->load(); });
  const auto ended = std::make_shared<std::atomic<bool>>(false);
  thread running{"command", [ended, w = std::move(w), done = std::move(done)](const std::stop_token& stop) {
                   result r;
                   if (const auto thrown = contain("command", [&] { r = w(stop); }))
                     r = {EREMOTEIO, ferryfs::text_of(thrown) + '\n'};
                   contain("answer to a command", [&] {
                     r.text = within(r.text, most_answered);
                     done(r);
                   });
                   *ended = true;
                 }};
  commands_.push_back({ended, std::move(running)});
}

}  // namespace ferryfs::fs
