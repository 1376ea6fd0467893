// The real ferryfs, mounted by a subprocess, and off again whatever happens.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/doubles/process.hpp"

namespace ferryfs::test {

// Runs `ferryfs ARGUMENTS...` to its end.
process_result run_ferryfs(const std::vector<std::string>& arguments,
                           std::chrono::milliseconds within = std::chrono::seconds(60));

// Skips the test case where the kernel offers no FUSE.
void need_fuse();

struct mount_options {
  std::string source;
  std::filesystem::path destination;
  std::filesystem::path mountpoint;  // empty: over the destination
  std::vector<std::string> arguments;
  bool foreground = true;  // with -f; without it ferryfs goes into the background by itself
  std::chrono::milliseconds mounted_within = std::chrono::seconds(20);
  std::filesystem::path binary = FERRYFS_BINARY;
};

// Mounted when constructed; the test fails there, with what ferryfs said, where that does not come about. The
// destructor ends ferryfs, takes the mount off, and fails the test case if ferryfs had to be killed, if it said a word
// of an error or a sanitizer did, or if a mount or a process is left behind. For one thread.
class mount_fixture {
 public:
  explicit mount_fixture(mount_options options);
  ~mount_fixture();
  mount_fixture(const mount_fixture&) = delete;
  mount_fixture& operator=(const mount_fixture&) = delete;

  const std::filesystem::path& mountpoint() const { return options_.mountpoint; }
  const std::filesystem::path& destination() const { return options_.destination; }
  // A path in the mount.
  std::filesystem::path operator/(const std::filesystem::path& below) const { return mountpoint() / below; }

  // Mounts again after stop() or kill9().
  void start();
  // SIGTERM, and the exit code; finish() complains if it does not come `within`.
  int stop(std::chrono::milliseconds within = std::chrono::seconds(20));
  // SIGKILL, as a power cut would; the dead mount stays for the next start() to find.
  void kill9();
  void signal(int number);

  bool mounted() const;
  bool runs();
  // Of the process that serves the mount.
  pid_t pid() const;
  // The stderr of all starts. A daemon's own log is where its options send it.
  std::string log() const;

  // A line of the log that holds `text` may hold "error" too.
  void expect_log(std::string text) { expected_.push_back(std::move(text)); }
  // Does the destructor's work at a moment of the test's choice.
  void finish();

 private:
  struct unstarted {};
  mount_fixture(mount_options options, unstarted);

  std::vector<std::string> command() const;
  std::vector<pid_t> running() const;
  bool answers() const;
  void judge_end();
  void judge_log() const;
  void clean() noexcept;

  mount_options options_;
  bool over_destination_;
  std::size_t before_;  // mounts that were at the mountpoint, or below it, already
  std::string mark_;    // an environment variable by which this fixture's processes are known
  std::vector<std::string> expected_;
  std::string earlier_log_;
  std::optional<process> process_;
  bool killed_ = false;
  bool finished_ = true;
};

}  // namespace ferryfs::test
