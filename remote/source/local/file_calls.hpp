// Calls on the files of a directory that end in time, whatever the kernel does: each is made by a process
// (file_process.hpp), which is left behind where it does not answer in time.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "remote/source/failure.hpp"
#include "remote/source/local/file_process.hpp"
#include "remote/source/local/unanswered_processes.hpp"

namespace ferryfs::remote {

// Threads: one.
class file_calls {
 public:
  // `stop`: a descriptor that becomes readable when every call is to end. `on_overdue` is called before a call ends
  // that was not answered within `deadline`; `on_still_overdue` whenever it was repeated in vain, with what is known by
  // then: which part of the directory does not answer.
  using listener = std::function<void(const failure&)>;
  file_calls(std::string root, std::chrono::milliseconds deadline, int stop, listener on_overdue,
             listener on_still_overdue = {});

  // Nothing: the call was made, and answer() holds its result. `prepare` fills in what belongs to it besides the paths.
  using preparation = std::function<void(file_call&)>;
  std::optional<failure> make(file_call::what wanted, const std::string& path, const preparation& prepare = {},
                              const std::string& other = "");
  file_call& answer() noexcept { return process_->call(); }
  // The failure that stands for an errno of `path`.
  failure failed(const std::string& path, int problem) const;

  // The failure of a call that was not answered within the deadline.
  failure silent(const std::string& path) const;
  // The last call failed as the root could not be opened.
  bool is_root_away() const noexcept { return process_ && process_->call().no_root; }

  // The last call was not answered, and `wait_until_answered` is to be called.
  bool is_overdue() const noexcept { return overdue_.has_value(); }
  // Waits for the overdue answer, and repeats the call, as something else may be mounted there by now, until there is
  // any answer to it. False: all is to stop.
  bool wait_until_answered();
  // As after a call that was not answered.
  void begin_overdue();
  // The job that made the calls has ended: a file that it left open or a directory half listed is given up, and
  // processes that have ended since are reaped.
  void release();

 private:
  struct question {
    file_call::what wanted = file_call::what::look;
    std::string path = {};
    std::uint64_t offset = 0;
  };
  enum class probe_result { answered, stopped, overdue, in_vain };
  failure away(int problem) const;
  std::optional<failure> put(file_call::what wanted, const std::string& path, const preparation& prepare = {},
                             const std::string& other = "");
  void record_state(file_call::what wanted);
  probe_result probe();
  file_process::answer repeat_overdue();
  failure silent_part() const;
  void leave_behind();
  bool wait(std::chrono::milliseconds time);

  const std::string root_;
  const std::chrono::milliseconds deadline_;
  const int stop_;
  const listener on_overdue_, on_still_overdue_;
  std::unique_ptr<file_process> process_;  // none before the first call, and after one that was not answered
  unanswered_processes unanswered_;
  unique_fd mounts_;             // has news when something is mounted, or no longer
  bool mounts_changed_ = false;  // since a process was last started
  bool in_the_midst_ = false;    // a file is open, or a directory half listed
  std::optional<question> overdue_;
};

}  // namespace ferryfs::remote
