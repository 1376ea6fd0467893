// Counts the pictures of a push by their end, and decides whether more are to be sent. Pure; its owner's mutex guards
// it.
#pragma once

#include <cstdint>
#include <string>

#include "remote/engine/push/push_item.hpp"
#include "remote/source/archive.hpp"

namespace ferryfs::remote {

struct push_result {
  std::uint64_t files = 0, bytes = 0;   // sent
  std::uint64_t already_there = 0;      // the source had them already
  std::uint64_t attributes_differ = 0;  // of those sent: the source refused to set their time or mode
  std::uint64_t refused = 0;
  std::string first_refusal;
  enum class end { done, interrupted, lost, read_only } ended = end::done;
  std::string why;  // lost, read_only: one line
};

class push_tally {
 public:
  void count_sent(const push_item& p, const attributes& there);
  void count_already_there() { ++result_.already_there; }
  void count_refusal(const failure& why);
  // The source has taken something: the account may write.
  void set_accepted() { accepted_ = true; }

  // Something is left unsent, because the push is to end.
  void interrupt();
  void abort() { result_.ended = push_result::end::interrupted; }
  void lose_source(const std::string& why);
  // Whether nothing more is to be sent. Where so many were denied, and nothing was taken, the account may not write.
  bool is_ended();
  // The same without a look at the denials.
  bool was_ended() const { return result_.ended != push_result::end::done; }

  // So far.
  const push_result& result() const { return result_; }
  // To be called when all was sent or refused: the result to be shown.
  push_result conclude();

 private:
  bool denied_all() const { return !accepted_ && denied_ > 0 && denied_ == result_.refused; }

  push_result result_;
  std::uint64_t denied_ = 0;  // of the refusals, for want of permission
  bool accepted_ = false;
};

}  // namespace ferryfs::remote
