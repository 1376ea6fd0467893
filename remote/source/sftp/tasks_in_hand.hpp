// The tasks that one connection has taken from the queue and that have not ended: which it may take next, and the
// turns of those that move bytes. Belongs to one thread.
#pragma once

#include <cstddef>
#include <list>
#include <memory>

#include "remote/source/sftp/flow_control.hpp"
#include "remote/source/sftp/open_handles.hpp"
#include "remote/source/sftp/packet_stream.hpp"
#include "remote/source/sftp/peers.hpp"
#include "remote/source/sftp/queue.hpp"

namespace ferryfs::remote::sftp {

// The connection's place among those of its archive.
struct connection_role {
  std::size_t number = 0;
  bool takes_background = true;  // false: it is kept free for demand
};

class tasks_in_hand {
 public:
  // All of these outlive it.
  tasks_in_hand(queue& from, const peers& others, connection_role role, flow_control& flow, const open_handles& handles,
                const packet_stream& stream)
      : queue_(from), peers_(others), role_(role), flow_(flow), handles_(handles), stream_(stream) {}

  std::size_t count() const noexcept { return count_; }
  // Takes tasks while it may, and starts them. False: none.
  bool take(request_sender& w);
  // `take` would take one.
  bool has_work() const;
  // One that did not come from the queue.
  void add() noexcept { ++count_; }

  // The task's file is open: it gets turns to request more.
  void add_transfer(std::shared_ptr<transfer> t);
  void remove_transfer(const task& t);
  // Gives each open file its turn, those that a reader waits for first. True: something was requested.
  bool request_more(request_sender& w);

  // Ends one task, while the connection goes on.
  void end(const std::shared_ptr<task>& t, const failure& why);
  // A task has ended by a reply. If it was the isolated one, that is over.
  void record_end(const task& t);
  // From now on, the task's file is read alone.
  void isolate(const task& t);

  // Ends every open file with `why`; nothing is taken or counted after it.
  void end_transfers(const failure& why);

 private:
  bool takes_background() const { return role_.takes_background || peers_.is_only_one_left(); }
  bool may_take_demand() const { return count_ < most_tasks() && handles_.may_open(); }
  bool may_take_look() const { return count_ < most_looks; }
  // A few at a time, so that the other connections get their share.
  bool may_take_listing() const { return count_ < flow_.listings_limit() && handles_.may_open(); }
  bool may_take_background() const { return takes_background() && has_room() && handles_.may_open(); }
  bool may_take_alone() const { return takes_background() && count_ == 0 && handles_.may_open(); }
  bool has_room() const {
    return count_ < flow_.background_limit() && flow_.may_request_more() && stream_.unsent() < most_unsent;
  }
  // Of all kinds; a tenth more than the background may fill.
  std::size_t most_tasks() const { return flow_.files_limit() + flow_.files_limit() / 10 + 1; }
  std::shared_ptr<task> next();
  void drop() noexcept { --count_, reads_alone_ = false; }

  static constexpr std::size_t most_looks = 128;         // tasks in hand beyond which a look is left to others
  static constexpr std::size_t most_unsent = 64U << 10;  // bytes beyond which nothing is taken for the background

  queue& queue_;
  const peers& peers_;
  const connection_role role_;
  flow_control& flow_;
  const open_handles& handles_;
  const packet_stream& stream_;
  std::size_t count_ = 0;
  bool reads_alone_ = false;                        // the one task is a file that is read alone
  std::list<std::shared_ptr<transfer>> transfers_;  // with ranges still to request; demand first
};

}  // namespace ferryfs::remote::sftp
