// Which connections to a server stand, and so whether the source is reachable. While it is not, the queue is closed and
// what was queued has failed. Threads: any.
//
// Locks: mutex_ guards all of it. The queue's mutex and the events' are taken under it. No callback runs under it.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>

#include "index/base/mutex.hpp"
#include "index/base/serial_executor.hpp"
#include "remote/source/archive.hpp"
#include "remote/source/sftp/peers.hpp"
#include "remote/source/sftp/queue.hpp"

namespace ferryfs::remote::sftp {

class reachability {
 public:
  // Both outlive it.
  reachability(queue& tasks, peers& connections) : queue_(tasks), peers_(connections) {}

  archive::health state() const;
  // `on_change` is posted whenever `reachable` changes.
  void set_listener(std::function<void(const archive::health&)> on_change);
  // Why the last connection could not be made, or ended.
  failure last_failure() const;

  // Runs `call` on the thread of the events; on the calling thread once `finish_events` was called.
  void post(std::function<void()> call);
  // Blocks until the events that were posted have run.
  void finish_events();
  // The queue was stopped: ends all waits.
  void stop();

  // One thread at a time logs in: sshd's MaxStartups, and no other thread need try while one fails. `begin_login`
  // waits for its turn; false: all is to stop.
  bool begin_login();
  void end_login();
  // A connection is logged in, and exchanges greetings; these have failed.
  void record_login();
  void record_failed_greeting();
  // It stands; none could be made (`was_logged_in`: it failed after that); one that stood has ended, by itself or with
  // a failure.
  void record_connection();
  void record_failed_attempt(const failure& why, bool was_logged_in);
  void record_end();
  void record_loss(const failure& why);

  std::size_t connections() const;
  // The first attempt to connect has ended, one way or the other.
  bool has_tried() const;

  // Each of these waits ends, too, when all is to stop.
  void wait_until_tried();
  void wait_for_connection();
  // False: there is one connection, or none, all the time.
  bool wait_for_two_connections(std::chrono::milliseconds at_most);
  void wait_for_fewer_connections(std::size_t than, std::chrono::milliseconds at_most);
  void sleep(std::chrono::milliseconds time);

  // The first connection has ended. Waits while it is lent (sftp/peers.hpp).
  void wait_while_first_is_lent();
  void wait_until_first_has_ended(std::chrono::milliseconds at_most);
  void take_back_first();

 private:
  void record_attempt() REQUIRES(mutex_);

  queue& queue_;
  peers& peers_;
  mutable mutex mutex_{lock_level::reachability};
  condition changed_;
  archive::health health_ GUARDED_BY(mutex_);
  failure last_ GUARDED_BY(mutex_);
  std::size_t established_ GUARDED_BY(mutex_) = 0;  // connections that stand
  std::size_t greeting_ GUARDED_BY(mutex_) = 0;     // connections that are logged in, and do not stand yet
  bool is_logging_in_ GUARDED_BY(mutex_) = false;   // a thread does
  bool first_stands_ GUARDED_BY(mutex_) = false;    // the first connection stands, or is being made
  bool tried_ GUARDED_BY(mutex_) = false;           // a connection stands, or could not be made
  bool events_finished_ GUARDED_BY(mutex_) = false;
  std::function<void(const archive::health&)> on_change_ GUARDED_BY(mutex_);
  serial_executor events_{"source events"};
};

}  // namespace ferryfs::remote::sftp
