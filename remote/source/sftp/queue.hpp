// The tasks that no connection has taken yet: demanded files first, then looks at single paths, listings, background.
#pragma once

#include <array>
#include <atomic>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "index/base/mutex.hpp"
#include "remote/source/sftp/task.hpp"

namespace ferryfs::remote::sftp {

// Threads: any. While it is closed, `put` refuses every task.
class queue {
 public:
  // `alone`: files that a server fell silent over. Each is read by a connection that has no other task, so that no
  // other task suffers with it.
  enum class priority_class { demand, look, listing, background, alone };

  // False, and nothing queued, while closed.
  bool put(std::shared_ptr<task> t, priority_class where);
  bool has(priority_class c);
  // The next task of a class, or null.
  std::shared_ptr<task> take(priority_class from);
  // The file's task moves to the end of demand if it is still in the background class.
  void promote(const std::shared_ptr<reading>& file);

  // Refuses tasks until `open`; returns those that were queued.
  std::vector<std::shared_ptr<task>> close();
  void open();

  // The server fell silent over this file: from now on it is read alone, until it was read, or others are too many.
  void isolate(const std::string& path);
  void stop_isolating(const std::string& path);
  bool is_isolated(const task& t);

  void stop() noexcept { stopped_ = true; }
  const std::atomic<bool>& stopped() const noexcept { return stopped_; }

 private:
  std::deque<std::shared_ptr<task>>& at(priority_class c) REQUIRES(mutex_) {
    return classes_[static_cast<std::size_t>(c)];
  }
  bool isolates(const task& t) const REQUIRES(mutex_);

  mutex mutex_{lock_level::leaf};
  std::array<std::deque<std::shared_ptr<task>>, 5> classes_ GUARDED_BY(mutex_);
  std::set<std::string> isolated_ GUARDED_BY(mutex_);
  bool closed_ GUARDED_BY(mutex_) = false;
  std::atomic<bool> stopped_ = false;
};

}  // namespace ferryfs::remote::sftp
