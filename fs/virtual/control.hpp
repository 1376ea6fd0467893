// The commands that are written into .ferryfs/control (fs/virtual/control_line.hpp), carried out. One push and one
// verify each run at a time.
#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>

#include "fs/process/command_result.hpp"
#include "fs/report/recorder.hpp"
#include "fs/virtual/control_line.hpp"
#include "fs/virtual/push_summary.hpp"
#include "fs/virtual/single_job.hpp"
#include "index/base/mutex.hpp"
#include "index/base/thread.hpp"
#include "remote/engine/migration/migration.hpp"
#include "remote/engine/open_files_query.hpp"
#include "remote/engine/verify/verifier.hpp"

namespace ferryfs::fs {

class control {
 public:
  control(remote::migration& m, recorder& r) : migration_(m), recorder_(r) {}
  ~control();

  // `open`: the files open in the mount. Set before the first command.
  void watch(remote::open_files_query open) { open_ = std::move(open); }

  using result = command_result;
  // Runs a command, and calls back once, on any thread, when it is done; what takes long does not block.
  void run(std::string_view command, std::function<void(const result&)> done);

 private:
  using work = std::function<result(const std::stop_token&)>;
  work long_work(const control_line& line);
  void rescan(bool full, bool believe, std::function<void(const result&)> done);
  void run_aside(work w, std::function<void(const result&)> done);

  remote::migration& migration_;
  recorder& recorder_;
  remote::open_files_query open_;
  remote::verify_progress verifying_;
  running_push pushing_;
  single_job push_{"push"}, verify_{"verify"};
  mutex mutex_{lock_level::leaf};
  struct running_command {
    std::shared_ptr<std::atomic<bool>> ended;
    thread running;
  };
  std::list<running_command> commands_ GUARDED_BY(mutex_);  // joined when the next begins, or at the end
};

}  // namespace ferryfs::fs
