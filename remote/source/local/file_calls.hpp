// Calls on the files of a directory that end in time, whatever the kernel does: each is made by a process
// (file_process.hpp), which is left behind where it does not answer in time.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "remote/source/failure.hpp"
#include "remote/source/local/file_process.hpp"

namespace ferryfs::remote {

// For one thread.
class file_calls {
 public:
  // `stop`: a descriptor that becomes readable when every call is to end. `on_late` is called before a call ends that
  // was not answered within `deadline`; `on_still_late` whenever it was asked again in vain, with what is known by
  // now: which part it is that does not answer.
  using listener = std::function<void(const failure&)>;
  file_calls(std::string root, std::chrono::milliseconds deadline, int stop, listener on_late,
             listener on_still_late = {});

  // Nothing: the call was made, and answer() tells of it. `prepare` fills in what belongs to it besides the paths.
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

  bool is_late() const noexcept { return late_.has_value(); }
  // Waits for the answer to what was asked for too long, and asks it again, as something else may be mounted there by
  // now, until there is any answer to it. False: all is to stop.
  bool wait_until_answered();
  // As after a call that was late.
  void begin_late();
  // Whoever used it is done: what he left open or half listed is given up, and what has ended since is reaped.
  void settle();

 private:
  struct question {
    file_call::what wanted = file_call::what::look;
    std::string path = {};
    std::uint64_t offset = 0;
  };
  enum class probed { answered, stopped, late, in_vain };
  failure away(int problem) const;
  std::optional<failure> put(file_call::what wanted, const std::string& path, const preparation& prepare = {},
                             const std::string& other = "");
  void keep_in_mind(file_call::what wanted);
  probed probe();
  file_process::answer ask_again();
  failure silent_part() const;
  void leave_behind();
  bool is_answered_late() const;
  bool has_room_for_another();
  void reap();
  void answered();
  std::vector<pollfd> lines() const;
  bool pause(std::chrono::milliseconds time);

  const std::string root_;
  const std::chrono::milliseconds deadline_;
  const int stop_;
  const listener on_late_, on_still_late_;
  std::unique_ptr<file_process> process_;                   // none before the first call, and after one that was late
  std::vector<std::unique_ptr<file_process>> left_behind_;  // without an answer; what was asked first is the first
  std::size_t room_;                                        // for so many of them, before no more are started
  unique_fd mounts_;                                        // has news when something is mounted, or no longer
  bool mounts_changed_ = false;                             // since a process was last asked
  bool in_the_midst_ = false;                               // a file is open, or a directory half listed
  std::optional<question> late_;
};

// Absolute, and without "." or "..".
std::string plain_path(const std::string& path);
// The path without symbolic links, asked in the same way; nothing: it does not answer. Throws failure where no process
// can be started.
std::optional<std::string> real_path_in_time(const std::string& path, std::chrono::milliseconds deadline);

}  // namespace ferryfs::remote
