#include "fs/mount/kernel/forced_unmount.hpp"

#include <fuse_lowlevel.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <csignal>

#include "fs/mount/kernel/mountpoint.hpp"
#include "index/base/exception_barrier.hpp"
#include "index/base/wait_for_stop.hpp"

namespace ferryfs::fs {
namespace {

using namespace std::chrono_literals;
constexpr auto grace_period = 10s;

}  // namespace

forced_unmount::forced_unmount(fuse_session* session, std::string mountpoint, std::function<void()> stop_services)
    : session_(session),
      mountpoint_(std::move(mountpoint)),
      stop_services_(std::move(stop_services)),
      loop_(::pthread_self()) {
  struct sigaction nothing {};
  nothing.sa_handler = [](int) {};  // it only has to interrupt what the loop waits for
  ::sigaction(SIGUSR2, &nothing, nullptr);
}

void forced_unmount::begin() {
  if (stands_at(mountpoint_)) detach(mountpoint_);
  exit_loop_ = thread{"unmount", [this](const std::stop_token& stop) {
                        if (!wait_for_stop(stop, grace_period)) {
                          spdlog::warn("the mount is still in use; ferryfs ends nevertheless");
                          contain("end of the mount", stop_services_);
                        }
                        // The loop looks at the flag after each signal; one that comes before it waits would be lost.
                        while (!stop.stop_requested()) {
                          ::fuse_session_exit(session_);
                          ::pthread_kill(loop_, SIGUSR2);
                          wait_for_stop(stop, 50ms);
                        }
                      }};
}

}  // namespace ferryfs::fs
