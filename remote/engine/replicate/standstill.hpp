// Why replication is blocked, where the disk or the index is the reason. The caller locks.
#pragma once

#include <chrono>
#include <string>

namespace ferryfs::remote {

class standstill {
 public:
  using clock = std::chrono::steady_clock;

  void begin(std::string why, clock::time_point now) { why_ = std::move(why), since_ = now; }
  void end() { why_.clear(); }
  // Is one that began more than `time` ago.
  bool is_older_than(clock::duration time, clock::time_point now) const { return is_on() && now - since_ > time; }
  bool is_on() const noexcept { return !why_.empty(); }
  const std::string& why() const noexcept { return why_; }

 private:
  std::string why_;
  clock::time_point since_;
};

}  // namespace ferryfs::remote
