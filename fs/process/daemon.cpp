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

exit_code wait_for(const unique_fd& told, pid_t child) {
  char byte = 0;
  ssize_t n = 0;
  do n = ::read(told.get(), &byte, 1);
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
  const unique_fd told{ends[0]};
  unique_fd tell{ends[1]};
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child < 0) throw error(exit_code::local, std::string("fork: ") + std::strerror(errno));
  if (child > 0) {
    tell.reset();
    return wait_for(told, child);
  }
  ::setsid();
  work([&] {
    if (::chdir("/") != 0) std::perror("ferryfs: chdir");
    const char byte = 1;
    if (::write(tell.get(), &byte, 1) != 1) std::perror("ferryfs: pipe");
    tell.reset();
    close_standard_streams();
  });
  return exit_code::complete;
}

}  // namespace ferryfs::fs
