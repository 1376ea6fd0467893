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
  const auto line = parse_control_line(command);
  if (!line)
    return done(
        {EINVAL, fmt::format("{}: not a command; there are pause, resume, rescan [changed|believe], limit RATE, "
                             "fetch PATH, push [--overwritten] [--] PATH, skip PATH, undelete PATH, "
                             "resolve source|destination|both PATH, ready [quick] [json], report, "
                             "verify here|source PATH and stop push|verify\n",
                             printable(command.substr(0, command.size() - (command.ends_with('\n') ? 1 : 0))))});
  const auto& [verb, how, about] = *line;
  if (is_switch(verb)) return done(set_switch(migration_, verb, about));
  if (verb == "rescan") return rescan(how != "changed", how == "believe", std::move(done));
  if (verb == "progress") return done({0, how == "push" ? pushing_.line() : verify_line(verifying_)});
  if (verb == "stop") {
    const bool runs = (how == "push" ? push_ : verify_).stop();
    return done({0, runs ? how + " is being stopped\n" : fmt::format("no {} is running\n", how)});
  }
  run_aside(long_work(*line), std::move(done));
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

// Commands that take as long as the disk or the source takes.
control::work control::long_work(const control_line& line) {
  using stop = std::stop_token;
  const auto& [verb, how, path] = line;
  if (verb == "fetch") return [this, path = path](const stop& s) { return fetch_now(migration_, path, s); };
  if (verb == "skip") return [this, path = path](const stop& s) { return skip(migration_, path, s); };
  if (verb == "undelete") return [this, path = path](const stop& s) { return undelete(migration_, path, s); };
  if (verb == "report") return [this](const stop&) { return make_report(recorder_); };
  if (verb == "ready" && how.starts_with("quick"))
    return [this, json = how == "quick json"](const stop&) { return ready_quickly(migration_, open_, json); };
  if (verb == "ready")
    return [this, json = how == "json"](const stop& s) {
      return verify_.run(s, [&](const stop& t) { return ready(migration_, open_, json, verifying_, t); });
    };
  if (verb == "push")
    return [this, overwritten = how == "--overwritten", path = path](const stop& s) {
      return push_.run(
          s, [&](const stop& t) { return push_now(migration_, recorder_, path, overwritten, open_, pushing_, t); });
    };
  if (verb == "resolve")
    return [this, keep = remote::keep_named(how).value(), path = path](const stop& s) {
      return resolve(migration_, path, keep, open_, s);
    };
  return [this, with_source = how == "source", path = path](const stop& s) {  // verify
    return verify_.run(s, [&](const stop& t) { return verify(migration_, path, with_source, verifying_, t); });
  };
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
