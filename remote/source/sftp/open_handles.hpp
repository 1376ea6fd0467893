// The handles that a connection has of the server: how many it may have, as far as that is learnt from the server's
// refusals, and the requests that wait until it has fewer. Belongs to one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>

#include "remote/source/sftp/task.hpp"

namespace ferryfs::remote::sftp {

constexpr bool opens_handle(type t) { return t == type::open || t == type::opendir; }

class open_handles {
 public:
  // `where`: the server, for the log.
  explicit open_handles(std::string where) : where_(std::move(where)) {}

  // Any request is sent; any is answered, with `p` behind the id.
  void record_request(type sent) noexcept {
    if (opens_handle(sent)) ++opening_;
  }
  void record_reply(type sent, type got, parser p);
  // CLOSE is sent.
  void record_close(const std::string& handle);

  bool may_open() const { return refused_.empty() && opening_ + open_ < limit_; }
  // The server has refused to open something for the number of those that are open.
  bool is_limited() const noexcept { return limit_ != SIZE_MAX; }

  // An OPEN or OPENDIR was refused with the STATUS `p`. True: others that are open may be the reason; the request is
  // kept, to be sent again when there are fewer.
  bool defer(request& refused, parser p);
  bool has_deferred() const { return !refused_.empty() && opening_ + open_ < limit_for(refused_.front()); }
  // The first of the deferred requests.
  request take_deferred();
  std::deque<request> take_all_deferred() { return std::exchange(refused_, {}); }

 private:
  // How many files or directories are open, and the most that ever were: a server may allow few files and any number
  // of directories.
  struct count {
    std::size_t now = 0, most = 0;
  };
  count& of(type how) { return how == type::open ? files_ : directories_; }
  void record_open(type how, parser p);
  std::size_t limit_for(const request& again) const;

  const std::string where_;
  std::size_t opening_ = 0;  // OPENs and OPENDIRs without an answer
  std::size_t open_ = 0;     // handles that the server has given and not taken back
  std::size_t limit_ = SIZE_MAX;
  count files_, directories_;
  std::unordered_map<std::string, type> handles_;  // and what each was given for
  std::deque<request> refused_;
};

}  // namespace ferryfs::remote::sftp
