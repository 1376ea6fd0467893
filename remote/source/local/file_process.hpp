// A process of our own that makes the blocking calls on a directory. The directory may be one of a file system that
// does not answer (sshfs, NFS): a thread that waits for it in the kernel may not even be killed, and would keep our
// process, its mount and its locks from ending; another process keeps only itself.
#pragma once

#include <poll.h>
#include <sys/types.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "remote/files/unique_fd.hpp"
#include "remote/source/local/file_call.hpp"

namespace ferryfs::remote {

// Threads: one, which outlives it, as the kernel kills the process when its maker has gone.
class file_process {
 public:
  // Runs this program once more, whose main is to call run_as_file_process. Throws failure.
  explicit file_process(const std::string& root);
  // Kills it, and does not wait for one that can't end.
  ~file_process();
  // Those that could not end then, and have ended since, are zombies no longer. From any thread.
  static void reap_killed();
  file_process(const file_process&) = delete;
  file_process& operator=(const file_process&) = delete;

  // The name in a listed directory that it looks at just now; none: at another thing, or it can't be known.
  std::string place() const;
  static constexpr std::size_t place_size = 256;  // NAME_MAX, with the zero byte

  file_call& call() noexcept { return *call_; }

  enum class answer { came, late, stopped, ended, elsewhere };
  // Has it make the call. `stop` is a descriptor that becomes readable when all is to stop, `others` are the lines of
  // other processes, whose answers end the wait as well. After any answer but the first no other call can be made.
  answer exchange(int stop, std::chrono::milliseconds deadline, const std::vector<pollfd>& others = {}) const;
  // After one that was late: the answer has come after all.
  bool has_answered() const noexcept;

  void kill() noexcept;
  bool is_killed() const noexcept { return killed_; }
  bool has_ended() noexcept;
  // Readable when there is an answer, or it has ended.
  int line() const noexcept { return line_.get(); }
  // Readable once it has ended.
  int handle() const noexcept { return handle_.get(); }

 private:
  void start(const std::string& root, int theirs);

  unique_fd line_, handle_, place_;
  std::unique_ptr<file_call> call_;
  pid_t pid_ = -1;  // -1: reaped
  bool killed_ = false;
};

// Called first by main, as `file_process` starts the program again: true where that is what this process is for; it has
// then served to its end.
bool run_as_file_process(int argc, char** argv);

}  // namespace ferryfs::remote
