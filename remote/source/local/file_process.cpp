#include "remote/source/local/file_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "index/base/clock.hpp"
#include "index/base/mutex.hpp"
#include "index/base/path.hpp"
#include "remote/source/failure.hpp"
#include "remote/source/local/file_server.hpp"

extern char** environ;

namespace ferryfs::remote {
namespace {

constexpr const char* mark = "--files-of";
constexpr int line_number = 3, place_number = 4;  // what the process finds open
constexpr int end_time = 200;                     // ms, for a process that was killed

[[noreturn]] void fail(const std::string& root, int problem) {
  throw failure{cause::unreachable,
                fmt::format("{}: no process to read it can be started: {}", printable(root), std::strerror(problem))};
}

// The processes that were killed, could not end, and have no file_process any more.
class killed_processes {
 public:
  void add(pid_t pid) {
    const lock held{mutex_};
    all_.push_back(pid);
  }
  void reap() {
    const lock held{mutex_};
    std::erase_if(all_, [](pid_t pid) { return ::waitpid(pid, nullptr, WNOHANG) != 0; });
  }

 private:
  mutex mutex_{lock_level::leaf};
  std::vector<pid_t> all_ GUARDED_BY(mutex_);
};

// Never destroyed, as threads may still end when the program does.
killed_processes& killed() {
  static auto& only = *new killed_processes;
  return only;
}

struct spawn_actions {
  posix_spawn_file_actions_t all;
  spawn_actions() { ::posix_spawn_file_actions_init(&all); }
  ~spawn_actions() { ::posix_spawn_file_actions_destroy(&all); }
};

}  // namespace

file_process::file_process(const std::string& root) : call_(std::make_unique<file_call>()) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) fail(root, errno);
  line_ = unique_fd{ends[0]};
  const unique_fd theirs{ends[1]};
  const int room = sizeof(file_call);  // the kernel takes twice that; its default is more than enough as a rule
  for (const int end : ends) ::setsockopt(end, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  start(root, theirs.get());
}

// The process has nothing open of ours: no lock, no mount, and no pipe whose reader waits for its end.
void file_process::start(const std::string& root, int theirs) {
  const unique_fd line{::fcntl(theirs, F_DUPFD_CLOEXEC, place_number + 1)};
  if (!line) fail(root, errno);
  unique_fd page{::memfd_create("ferryfs-place", MFD_CLOEXEC)};
  // Where the system refuses such a page, what hangs is not named.
  if (!page || ::ftruncate(page.get(), place_size) != 0) page = unique_fd{::open("/dev/null", O_RDWR | O_CLOEXEC)};
  place_ = unique_fd{::fcntl(page.get(), F_DUPFD_CLOEXEC, place_number + 1)};
  if (!place_) fail(root, errno);
  spawn_actions files;
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    ::posix_spawn_file_actions_addopen(&files.all, fd, "/dev/null", O_RDWR, 0);
  ::posix_spawn_file_actions_adddup2(&files.all, line.get(), line_number);
  ::posix_spawn_file_actions_adddup2(&files.all, place_.get(), place_number);
  ::posix_spawn_file_actions_addclosefrom_np(&files.all, place_number + 1);
  std::string words[] = {"ferryfs", mark, root};
  char* argv[] = {words[0].data(), words[1].data(), words[2].data(), nullptr};
  if (const int problem = ::posix_spawn(&pid_, "/proc/self/exe", &files.all, nullptr, argv, environ))
    fail(root, problem);
  handle_ = unique_fd{static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0U))};
}

file_process::~file_process() {
  const bool may_take_a_moment = !killed_;
  kill();
  if (!has_ended() && may_take_a_moment) {
    pollfd end{handle_.get(), POLLIN, 0};
    ::poll(&end, 1, end_time);
    has_ended();
  }
  if (pid_ >= 0) killed().add(pid_);
}

void file_process::reap_killed() { killed().reap(); }

file_process::answer file_process::exchange(int stop, std::chrono::milliseconds deadline,
                                            const std::vector<pollfd>& others) const {
  const auto end = steady_now() + deadline;
  if (::send(line_.get(), call_.get(), call_->asked_size(), MSG_NOSIGNAL) < 0) return answer::ended;
  std::vector<pollfd> events{{line_.get(), POLLIN, 0}, {stop, POLLIN, 0}};
  events.insert(events.end(), others.begin(), others.end());
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - steady_now());
    if (left.count() <= 0) return answer::late;
    if (::poll(events.data(), events.size(), static_cast<int>(left.count())) <= 0) continue;
    if (events[1].revents != 0) return answer::stopped;
    if (events[0].revents == 0) return answer::elsewhere;
    return ::recv(line_.get(), call_.get(), sizeof(file_call), 0) > 0 ? answer::came : answer::ended;
  }
}

bool file_process::has_answered() const noexcept {
  return !killed_ && ::recv(line_.get(), call_.get(), sizeof(file_call), MSG_DONTWAIT) > 0;
}

std::string file_process::place() const {
  char name[place_size] = {};
  if (::pread(place_.get(), name, sizeof name - 1, 0) < 0) return {};
  return name;
}

void file_process::kill() noexcept {
  if (pid_ > 0) ::kill(pid_, SIGKILL);
  killed_ = true;
}

bool file_process::has_ended() noexcept {
  if (pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) != 0) pid_ = -1;
  return pid_ < 0;
}

bool run_as_file_process(int argc, char** argv) {
  if (argc != 3 || std::strcmp(argv[1], mark) != 0) return false;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::prctl(PR_SET_NAME, "ferryfs-files");  // it would be "exe", as which it was started
  sigset_t all;                           // Ctrl-C is for the process that started it
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, nullptr);
  const unique_fd line{line_number}, place{place_number};
  if (::chdir("/") == 0) serve_files(argv[2], line.get(), place.get());
  return true;
}

}  // namespace ferryfs::remote
