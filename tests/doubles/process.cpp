#include "tests/doubles/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>
#include <csignal>
#include <memory>

extern char** environ;

namespace ferryfs::test {
namespace {

class spawn_plan {
 public:
  spawn_plan() {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
    sigset_t none, defaults;
    ::sigemptyset(&none);
    ::sigemptyset(&defaults);
    ::sigaddset(&defaults, SIGPIPE);  // the tests ignore it, their subjects shall not
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &defaults);
    ::posix_spawnattr_setpgroup(&attributes_, 0);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  ~spawn_plan() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  spawn_plan(const spawn_plan&) = delete;
  spawn_plan& operator=(const spawn_plan&) = delete;

  void use(int fd, int as) { ::posix_spawn_file_actions_adddup2(&actions_, fd, as); }
  void start_in(const std::filesystem::path& directory) {
    ::posix_spawn_file_actions_addchdir_np(&actions_, directory.c_str());
  }
  pid_t spawn(const std::vector<std::string>& arguments, const std::vector<std::string>& more_environment) {
    std::vector<char*> argv, environment;
    for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    for (const auto& variable : more_environment) environment.push_back(const_cast<char*>(variable.c_str()));
    for (char** variable = environ; *variable != nullptr; ++variable) environment.push_back(*variable);
    argv.push_back(nullptr);
    environment.push_back(nullptr);
    pid_t pid = -1;
    errno = ::posix_spawnp(&pid, argv[0], &actions_, &attributes_, argv.data(), environment.data());
    if (errno != 0) throw_errno("cannot start " + arguments.at(0));
    return pid;
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

std::string content(const descriptor& file) {
  std::string text;
  std::array<char, 65536> buffer;
  for (;;) {
    const auto count =
        checked(::pread(file.get(), buffer.data(), buffer.size(), static_cast<off_t>(text.size())), "pread");
    if (count == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

}  // namespace

process::process(const std::vector<std::string>& arguments, const process_options& options)
    : out_(checked(::memfd_create("stdout", MFD_CLOEXEC), "memfd_create")),
      err_(checked(::memfd_create("stderr", MFD_CLOEXEC), "memfd_create")) {
  spawn_plan plan;
  descriptor input;
  if (options.pipe_stdin) {
    std::array<int, 2> ends{};
    checked(::pipe2(ends.data(), O_CLOEXEC), "pipe2");
    input.reset(ends[0]);
    stdin_.reset(ends[1]);
  } else {
    input.reset(checked(::open("/dev/null", O_RDONLY | O_CLOEXEC), "/dev/null"));
  }
  plan.use(input.get(), STDIN_FILENO);
  plan.use(out_.get(), STDOUT_FILENO);
  plan.use(err_.get(), STDERR_FILENO);
  if (!options.directory.empty()) plan.start_in(options.directory);
  pid_ = plan.spawn(arguments, options.environment);
  // glibc 2.36 declares pidfd_open without extern "C".
  handle_.reset(static_cast<int>(checked(::syscall(SYS_pidfd_open, pid_, 0), "pidfd_open")));
}

process::~process() {
  if (!handle_) return;
  kill_group();
  try {
    ended(std::chrono::seconds(10));
  } catch (...) {
    // Somebody else has reaped it.
  }
}

bool process::ended(std::chrono::milliseconds within) {
  if (!handle_) return true;
  pollfd watched{handle_.get(), POLLIN, 0};
  int ready = 0;
  do {
    ready = ::poll(&watched, 1, static_cast<int>(within.count()));
  } while (ready < 0 && errno == EINTR);
  if (ready <= 0) return false;
  int status = 0;
  checked(::waitpid(pid_, &status, 0), "waitpid");
  code_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  handle_.reset();
  return true;
}

process_result process::wait(std::chrono::milliseconds within) {
  const bool in_time = ended(within);
  if (!in_time) {
    kill_group();
    ended(std::chrono::seconds(10));
  }
  return {code_, !in_time, out(), err()};
}

void process::signal(int number) const {
  if (handle_) ::kill(pid_, number);
}

void process::kill_group() const {
  if (handle_) ::kill(-pid_, SIGKILL);
}

std::string process::out() const { return content(out_); }
std::string process::err() const { return content(err_); }

void process::write(std::string_view input) const {
  while (!input.empty()) {
    const auto count = checked(::write(stdin_.get(), input.data(), input.size()), "write to the command");
    input.remove_prefix(static_cast<std::size_t>(count));
  }
}

process_result run(const std::vector<std::string>& arguments, std::chrono::milliseconds within,
                   const process_options& options) {
  return process(arguments, options).wait(within);
}

}  // namespace ferryfs::test
