#include "tests/doubles/test_run.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <string>

#include "tests/doubles/process_tree.hpp"
#include "tests/doubles/temp_dir.hpp"

namespace ferryfs::test {
namespace {

constexpr auto mark = "FERRYFS_TEST_RUN";

void sweep(const std::filesystem::path& directory) {
  for (const pid_t pid : bearing(mark + ('=' + directory.string()))) kill_tree(pid);
  remove_tree(directory);
}

// Runs in a process of its own, outside the session and the family of the test, so that nothing that ends the test ends
// it.
[[noreturn]] void guard(const std::filesystem::path& directory, int lifeline, pid_t test) {
  ::setsid();
  if (::fork() != 0) ::_exit(0);
  ::dup2(lifeline, STDIN_FILENO);
  const int null = ::open("/dev/null", O_RDWR);
  ::dup2(null, STDOUT_FILENO);
  ::dup2(null, STDERR_FILENO);
  ::close_range(STDERR_FILENO + 1, ~0U, 0);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) std::signal(number, SIG_IGN);
  // The lifeline ends with the test, unless that hangs in a mount: then it is the guardian that has to end the mount
  // first.
  pollfd watched{STDIN_FILENO, POLLIN, 0};
  while (::poll(&watched, 1, 500) <= 0 && !is_dying(test)) {
  }
  sweep(directory);
  ::_exit(0);
}

}  // namespace

test_run::test_run() {
  directory_ = std::filesystem::canonical(std::filesystem::temp_directory_path());
  std::string pattern = directory_ / "ferryfs-test-XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) throw_errno(pattern);
  directory_ = pattern;
  std::array<int, 2> ends{};
  checked(::pipe2(ends.data(), O_CLOEXEC), "pipe2");
  const descriptor watched(ends[0]);
  lifeline_.reset(ends[1]);
  const pid_t test = ::getpid();
  const pid_t child = checked(::fork(), "fork");
  if (child == 0) {
    lifeline_.reset();
    guard(directory_, watched.get(), test);
  }
  ::waitpid(child, nullptr, 0);
  ::setenv(mark, directory_.c_str(), 1);
}

test_run::~test_run() {
  sweep(directory_);
  ::unsetenv(mark);
}

std::filesystem::path test_run::directory() {
  const char* const value = std::getenv(mark);
  return value == nullptr ? "" : value;
}

}  // namespace ferryfs::test
