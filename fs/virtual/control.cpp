#include "fs/virtual/control.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "fs/size.hpp"
#include "index/path.hpp"
#include "remote/fetch/fetch_below.hpp"

namespace ferryfs::fs {

control::~control() {
  for (auto& t : fetches_) t.request_stop();
  for (auto& t : fetches_) t.join();
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
  if (verb == "fetch") return fetch(argument, std::move(done));
  done({EINVAL,
        fmt::format("{}: unknown; there are pause, resume, rescan, limit RATE and fetch PATH\n", printable(verb))});
}

void control::fetch(std::string path, std::function<void(const result&)> done) {
  const std::lock_guard lock{mutex_};
  for (const auto id : std::exchange(ended_, {}))
    std::erase_if(fetches_, [&](std::jthread& t) { return t.get_id() == id; });
  fetches_.emplace_back([this, path = std::move(path), done = std::move(done)](const std::stop_token& stop) {
    const auto r = remote::fetch_below(migration_, path, stop);
    done(r.failed == 0 ? result{0, fmt::format("fetched {} files, {}\n", r.files, human_size(r.bytes))}
                       : result{EIO, fmt::format("{} of {} failed, the first: {}\n", r.failed, r.failed + r.files,
                                                 r.first_failure)});
    const std::lock_guard relock{mutex_};
    ended_.push_back(std::this_thread::get_id());
  });
}

}  // namespace ferryfs::fs
