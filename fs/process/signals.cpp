#include "fs/process/signals.hpp"

#include <pthread.h>

#include <csignal>

#include "index/base/exception_barrier.hpp"

namespace ferryfs::fs {
namespace {

constexpr int wake = SIGUSR1;  // ends the watcher

sigset_t watched_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int s : {SIGINT, SIGTERM, SIGHUP, wake}) sigaddset(&set, s);
  return set;
}

}  // namespace

void block_signals() {
  const sigset_t set = watched_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

signal_watcher::signal_watcher(std::function<void(int)> call)
    : thread_([call = std::move(call)](const std::stop_token& stop) {
        const sigset_t set = watched_signals();
        int signal = 0, count = 0;
        while (sigwait(&set, &signal) == 0 && !stop.stop_requested())
          if (signal != wake) contain("signal", [&] { call(++count); });
      }) {}

signal_watcher::~signal_watcher() {
  thread_.request_stop();
  pthread_kill(thread_.native_handle(), wake);
}

}  // namespace ferryfs::fs
