// The pictures of a push that are in flight: limits their number, sends again those that failed, and counts their ends.
//
// Threads: one, the push's own, waits for room and drains; it also sends again. The archive's threads and the
// index's writer finish items. No callback runs under the lock.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <optional>
#include <stop_token>

#include "index/base/mutex.hpp"
#include "remote/engine/push/push_item.hpp"
#include "remote/engine/push/push_tally.hpp"
#include "remote/source/archive.hpp"

namespace ferryfs::remote {

class push_queue {
 public:
  // How often a connection may be lost at one picture, or at one question.
  static constexpr unsigned most_connection_losses = 6;

  // `source_timeout`: how long a source that is away is waited for. `send` is called for each item that is sent again,
  // on the push's own thread; its slot is taken.
  push_queue(archive& source, std::chrono::seconds source_timeout, std::function<void(const push_item&)> send)
      : source_(source), source_timeout_(source_timeout), send_(std::move(send)) {}
  // Before anything else.
  void begin(const std::stop_token& stop) { stop_ = stop; }

  // The push's own thread.
  // Waits until one more may be sent, and takes its slot. False: nothing more is to be sent.
  bool wait_for_room();
  // Waits until the source is there. False: it stays away, or the push is to end.
  bool wait_for_source();
  bool is_ended();
  // Waits until every slot is free.
  void drain();
  push_result conclude();

  // Any thread.
  void count_sent(const push_item& p, const attributes& there);
  void count_already_there();
  void set_accepted();
  void refuse(const failure& why);
  void abort();
  push_result so_far();
  void release_slot();
  // The item was not sent, and may be sent again: it changed here meanwhile, or for the reason `why`; nothing: it need
  // not be. Else this releases its slot.
  void retry_or_refuse(const push_item& p, bool changed, const std::optional<failure>& why);

 private:
  push_item take_again() REQUIRES(mutex_);
  bool send_again(const push_item& p);

  archive& source_;
  const std::chrono::seconds source_timeout_;
  const std::function<void(const push_item&)> send_;
  std::stop_token stop_;
  mutex mutex_{lock_level::leaf};
  condition changed_;
  std::size_t running_ GUARDED_BY(mutex_) = 0;      // slots that are taken
  std::deque<push_item> again_ GUARDED_BY(mutex_);  // each holds a slot
  push_tally tally_ GUARDED_BY(mutex_);
};

}  // namespace ferryfs::remote
