// The words of a push while it runs, and when it has ended.
#pragma once

#include <stop_token>
#include <string>

#include "fs/process/command_result.hpp"
#include "fs/report/recorder.hpp"
#include "index/base/error.hpp"
#include "index/base/mutex.hpp"
#include "remote/engine/push/pusher.hpp"

namespace ferryfs::fs {

struct push_summary {
  exit_code code;
  std::string text;  // one line
};
push_summary summary_of(const remote::push_result& r);

// The push that runs, if one does. Threads: any.
class running_push {
 public:
  void set(remote::pusher* running);
  std::string line();  // for people; empty while none runs

 private:
  mutex mutex_{lock_level::leaf};
  remote::pusher* running_ GUARDED_BY(mutex_) = nullptr;
};

// The command of a mounted archive. It leaves a report.
command_result push_now(remote::migration& m, recorder& reports, const std::string& path, bool overwritten,
                        const remote::open_files_query& open, running_push& watch, const std::stop_token& stop);

std::string push_line(const remote::pusher::progress& p);

}  // namespace ferryfs::fs
