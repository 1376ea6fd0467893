#include "fs/virtual/single_job.hpp"

#include <fmt/format.h>

#include <cerrno>

namespace ferryfs::fs {

command_result single_job::run(const std::stop_token& stop,
                               const std::function<command_result(const std::stop_token&)>& work) {
  std::stop_source own;
  {
    const lock held{mutex_};
    if (running_) return {EBUSY, fmt::format("a {} is running already; try again when it has ended\n", name_)};
    running_ = own;
  }
  struct ending {
    single_job& job;
    ~ending() {
      const lock held{job.mutex_};
      job.running_.reset();
    }
  } const end{*this};
  const std::stop_callback forward{stop, [&] { own.request_stop(); }};
  return work(own.get_token());
}

bool single_job::stop() {
  std::optional<std::stop_source> running;
  {
    const lock held{mutex_};
    running = running_;
  }
  if (running) running->request_stop();
  return running.has_value();
}

}  // namespace ferryfs::fs
