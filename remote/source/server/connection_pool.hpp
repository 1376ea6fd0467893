// The connections of one archive, each with a thread that makes it, serves the queue by it, and makes it anew when it
// has ended.
//
// Threads: `notify`, `lend_first` and `take_back_first` may be called from any.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "index/base/thread.hpp"
#include "remote/source/server/reachability.hpp"
#include "remote/source/server/root_cache.hpp"
#include "remote/source/sftp/connection.hpp"

namespace ferryfs::remote::sftp {

class connection_pool {
 public:
  // All that is given outlives the pool. Starts `sessions` threads, at least one.
  connection_pool(connection::shared with, std::size_t sessions, reachability& state, root_cache& root);
  ~connection_pool() { join(); }

  std::size_t size() const noexcept { return workers_.size(); }
  // The last connection to be made can rename in place of another file.
  bool can_replace() const noexcept { return can_replace_; }

  // Wakes the threads that serve a class of tasks.
  void notify(queue::priority_class where);
  void notify_all();
  // Blocks until the threads have ended. The queue was stopped before.
  void join();

  // The digests have a connection of their own, which counts among the sessions: the first of the others makes place
  // for it. Where the server lets in but one, that stays, as nothing could be read meanwhile. Blocks for some seconds.
  void lend_first();
  void take_back_first() { state_.take_back_first(); }

 private:
  struct worker {
    event_notifier wake;
    ferryfs::thread thread;
  };
  bool takes_background(std::size_t number) const;
  void run(std::size_t number);
  std::unique_ptr<connection> connect(std::size_t number);
  std::unique_ptr<connection> greet(std::size_t number, ssh::channel stream);
  bool may_be_full(const failure& why, bool reached, unsigned failures) const;
  bool pause_as_one_too_many(const failure& why, unsigned failures);
  void pause(unsigned failures, bool refused);

  const connection::shared shared_;
  reachability& state_;
  root_cache& root_;
  std::atomic<bool> can_replace_ = false;
  std::vector<std::unique_ptr<worker>> workers_;
};

}  // namespace ferryfs::remote::sftp
