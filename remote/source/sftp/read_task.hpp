// One file being read: OPEN, READs of many ranges in flight, FSTAT behind the last of them, CLOSE. Where a reader waits
// for it and the server's handle can be predicted, the first READ goes with the OPEN (speculative read).
#pragma once

#include "remote/source/sftp/predicted_handle.hpp"
#include "remote/source/sftp/task.hpp"

namespace ferryfs::remote::sftp {

class read_task final : public transfer {
 public:
  read_task(std::shared_ptr<reading> to, priority where) : to_(std::move(to)), priority_(where) {}
  void start(request_sender& w) override;
  void reply(request_sender& w, const request& r, type got, parser& p) override;
  void lost(const failure& why) override;
  void retry(request_sender& w, const request& r) override;

  next_step request_more(request_sender& w) override;
  bool urgent() const override { return priority_ == priority::demand || to_->urgent(); }
  bool is_open() const noexcept { return handle_.is_given(); }

  const std::shared_ptr<reading>& to() const noexcept { return to_; }
  priority where() const noexcept { return priority_; }

 private:
  void read(request_sender& w, range part);
  void read_speculatively(request_sender& w);
  bool is_speculative(const range& requested) const { return speculative_ && speculative_->offset == requested.offset; }
  bool confirm_speculative(request_sender& w, type got);
  void accept_data(request_sender& w, const range& requested, parser& p);
  void accept_refusal(request_sender& w, const range& requested, parser& p);
  void request_attributes(request_sender& w);
  void accept_attributes(parser& p);
  void finish_if_done(request_sender& w);
  void end(const std::optional<failure>& why);

  std::shared_ptr<reading> to_;
  priority priority_;
  predicted_handle handle_;
  std::optional<range> speculative_;  // READ by the predicted handle, and not answered
  std::optional<range> retry_;        // the same, answered before OPEN was: to be requested again
  bool all_requested_ = false;
  std::uint32_t reads_ = 0;            // READs without an answer
  std::uint32_t stats_ = 0;            // FSTATs without an answer
  bool attributes_requested_ = false;  // an FSTAT was sent behind the last READ
  attributes after_;
  std::optional<failure> failed_;
};

}  // namespace ferryfs::remote::sftp
