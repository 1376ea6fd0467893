// The processes of one thread that have not answered in time. They go on waiting: a sick disk may take minutes to say
// that it can't.
#pragma once

#include <poll.h>

#include <chrono>
#include <memory>
#include <vector>

#include "remote/source/local/file_process.hpp"

namespace ferryfs::remote {

class unanswered_processes {
 public:
  void add(std::unique_ptr<file_process> p) { processes_.push_back(std::move(p)); }
  // The one that was added last.
  file_process& last() const { return *processes_.back(); }
  bool has_answer() const;

  // Takes away those that have ended.
  void reap();
  // One more process may be started. Else kills one, where another asks the same; it keeps its place until it has
  // ended. `mounts_changed`: the directory may be another now, which a further process may find to answer.
  bool has_room(bool mounts_changed);
  // Waits for a moment for their end. Those that can't end take no place from what is added later.
  void kill_all();

  // For poll(2): their answers; their answers and their ends.
  std::vector<pollfd> answers() const;
  std::vector<pollfd> answers_and_ends() const;

 private:
  // Processes without an answer before no more are started: as a rule, and however often something is mounted.
  static constexpr std::size_t usual_room = 3, most_room = 16;

  std::vector<std::unique_ptr<file_process>> processes_;  // the oldest first
  std::size_t room_ = usual_room;
};

}  // namespace ferryfs::remote
