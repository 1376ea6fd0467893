#include "fs/mount/kernel/leaving.hpp"

#include <fuse_lowlevel.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <mutex>

#include "fs/mount/kernel/mountpoint.hpp"
#include "index/base/exception_barrier.hpp"

namespace ferryfs::fs {
namespace {

using namespace std::chrono_literals;
constexpr auto patience = 10s;

}  // namespace

leaving::leaving(fuse_session* session, std::string mountpoint, std::function<void()> settle)
    : session_(session), mountpoint_(std::move(mountpoint)), settle_(std::move(settle)), loop_(::pthread_self()) {
  struct sigaction nothing {};
  nothing.sa_handler = [](int) {};  // it only has to interrupt what the loop waits for
  ::sigaction(SIGUSR2, &nothing, nullptr);
}

void leaving::begin() {
  if (stands_at(mountpoint_)) detach(mountpoint_);
  forced_ = std::jthread{[this](const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock{mutex};
    wake.wait_for(lock, stop, patience, [&] { return stop.stop_requested(); });
    if (!stop.stop_requested()) {
      spdlog::warn("the mount is still in use somewhere, and ends all the same");
      contain("end of the mount", settle_);
    }
    // The loop looks at the flag after each signal; one that comes before it waits would be lost.
    while (!stop.stop_requested()) {
      ::fuse_session_exit(session_);
      ::pthread_kill(loop_, SIGUSR2);
      wake.wait_for(lock, stop, 50ms, [&] { return stop.stop_requested(); });
    }
  }};
}

}  // namespace ferryfs::fs
