// The requests of a connection that the server has not answered yet, by the id that its reply will bear. Belongs to
// one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "remote/source/sftp/task.hpp"

namespace ferryfs::remote::sftp {

class pending_requests {
 public:
  using clock = std::chrono::steady_clock;

  // Returns the id to send it with.
  std::uint32_t add(request&& r);
  // The request that a reply with this id is for. Throws `protocol_error`: none is.
  request take(std::uint32_t id);
  bool empty() const noexcept { return requests_.empty(); }

  // The task of the oldest request whose task has not ended; null: none.
  std::shared_ptr<task> owner_of_oldest() const;
  // Tasks that have not ended, and wait for longer than `timeout` for what was sent before the last answered request.
  std::vector<std::shared_ptr<task>> overtaken(clock::time_point now, clock::duration timeout) const;
  // Every task, once for each of its requests.
  std::vector<std::shared_ptr<task>> take_owners();

 private:
  std::uint32_t next_id_ = 0;
  std::uint32_t last_answered_ = 0;  // the highest id of an answered request
  std::unordered_map<std::uint32_t, request> requests_;
};

}  // namespace ferryfs::remote::sftp
