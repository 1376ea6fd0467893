#include "fs/process/daemon.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "remote/files/unique_fd.hpp"

namespace ferryfs::fs {
namespace {

exit_code wait_for(const unique_fd& ready_pipe, pid_t child) {
  char byte = 0;
  ssize_t n = 0;
  do n = ::read(ready_pipe.get(), &byte, 1);
  while (n < 0 && errno == EINTR);
  if (n == 1) return exit_code::complete;
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? static_cast<exit_code>(WEXITSTATUS(status)) : exit_code::local;
}

void close_standard_streams() {
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(null, fd);
  ::close(null);
}

}  // namespace

exit_code run_in_background(const std::function<void(const std::function<void()>&)>& work) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw error(exit_code::local, std::string("pipe: ") + std::strerror(errno));
  const unique_fd ready_pipe{ends[0]};
  unique_fd ready_signal{ends[1]};
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child < 0) throw error(exit_code::local, std::string("fork: ") + std::strerror(errno));
  if (child > 0) {
    ready_signal.reset();
    return wait_for(ready_pipe, child);
  }
  ::setsid();
  work([&] {
    if (::chdir("/") != 0) std::perror("ferryfs: chdir");
    const char byte = 1;
    if (::write(ready_signal.get(), &byte, 1) != 1) std::perror("ferryfs: pipe");
    ready_signal.reset();
    close_standard_streams();
  });
  return exit_code::complete;
}

}  // namespace ferryfs::fs
