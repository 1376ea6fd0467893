// How long a connection waits for the server's answers. Belongs to one thread.
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "index/base/clock.hpp"
#include "remote/source/sftp/pending_requests.hpp"

namespace ferryfs::remote::sftp {

class reply_deadlines {
 public:
  using clock = std::chrono::steady_clock;

  // `longest_silence`: of a server that owes an answer.
  explicit reply_deadlines(std::chrono::seconds longest_silence) : longest_silence_(longest_silence) {}

  // Bytes came from the server, or it begins to owe an answer.
  void record_activity(clock::time_point when) noexcept { last_activity_ = when; }
  clock::time_point last_activity() const noexcept { return last_activity_; }

  // The server owes an answer, and nothing came for too long.
  bool are_over() const { return steady_now() - last_activity_ > longest_silence_; }

  // Where the other connections hear from the server while this one does not, the network is not the reason: the
  // server is stuck with a request that was sent here. `others`: when one of them last did.
  bool is_silent_alone(clock::time_point others) const { return others - last_activity_ > longest_silence_ / 3; }

  // A server that answers in any order may go on with the rest while it is stuck with one request. Looks once a
  // second.
  std::vector<std::shared_ptr<task>> find_stuck(const pending_requests& pending);

  // A server that owes nothing is asked for something before a firewall forgets the connection.
  std::chrono::milliseconds idle_time() const { return longest_silence_ / 2; }
  bool is_idle() const { return steady_now() - last_activity_ > idle_time(); }

 private:
  const std::chrono::seconds longest_silence_;
  clock::time_point last_activity_ = steady_now();
  clock::time_point last_look_ = steady_now();  // for stuck requests
};

}  // namespace ferryfs::remote::sftp
