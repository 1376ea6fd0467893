// Work of which one runs at a time.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include "fs/process/command_result.hpp"
#include "index/base/mutex.hpp"

namespace ferryfs::fs {

// Threads: any.
class single_job {
 public:
  explicit single_job(std::string name) : name_(std::move(name)) {}

  // Blocks until `work` has ended, or `stop` or the other `stop` ended it; EBUSY while it runs for somebody else.
  command_result run(const std::stop_token& stop, const std::function<command_result(const std::stop_token&)>& work);
  // Asks the one that runs to end. False: none runs.
  bool stop();

 private:
  const std::string name_;
  mutex mutex_{lock_level::leaf};
  std::optional<std::stop_source> running_ GUARDED_BY(mutex_);
};

}  // namespace ferryfs::fs
