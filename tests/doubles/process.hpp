// A command as a subprocess that ends with the test.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "tests/doubles/descriptor.hpp"

namespace ferryfs::test {

struct process_options {
  std::filesystem::path directory;       // where it runs; empty: here
  std::vector<std::string> environment;  // "NAME=value", added to the test's own
  bool pipe_stdin = false;               // write() feeds it; otherwise it reads from /dev/null
};

struct process_result {
  int code = -1;           // exit code, or 128 + signal as a shell says it
  bool timed_out = false;  // it was killed because it had not ended in time
  std::string out;
  std::string err;
};

// Leads a process group of its own. What it prints goes to memory files: it never blocks on a full pipe, and a daemon
// that it leaves behind holds nothing open that the test waits for. For one thread at a time.
class process {
 public:
  explicit process(const std::vector<std::string>& arguments, const process_options& options = {});
  // Kills the group, if the command itself still runs, and reaps.
  ~process();
  process(process&&) = default;
  process& operator=(process&&) = delete;

  pid_t pid() const { return pid_; }
  // True once it has ended; waits for that as long as `within`.
  bool ended(std::chrono::milliseconds within = std::chrono::milliseconds(0));
  // Waits for the end, kills the group where it does not come in time, and tells how it went.
  process_result wait(std::chrono::milliseconds within = std::chrono::seconds(30));
  void signal(int number) const;
  void kill_group() const;

  // The process's output so far.
  std::string out() const;
  std::string err() const;

  void write(std::string_view input) const;
  void close_stdin() { stdin_.reset(); }

 private:
  pid_t pid_ = -1;
  int code_ = -1;
  descriptor handle_;  // pidfd; empty once reaped
  descriptor out_;
  descriptor err_;
  descriptor stdin_;
};

// Runs a command to its end.
process_result run(const std::vector<std::string>& arguments,
                   std::chrono::milliseconds within = std::chrono::seconds(30), const process_options& options = {});

}  // namespace ferryfs::test
