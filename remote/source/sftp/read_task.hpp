// One file being read: OPEN, READs of many ranges in flight, FSTAT behind the last of them, CLOSE. Where a reader waits
// for it and the server's handle can be predicted, the first READ goes with the OPEN (speculative read).
#pragma once

#include "remote/source/sftp/predicted_handle.hpp"
#include "remote/source/sftp/task.hpp"

namespace ferryfs::remote::sftp {

class read_task final : public transfer {
 public:
  read_task(std::shared_ptr<reading> to, lane where) : to_(std::move(to)), lane_(where) {}
  void start(wire& w) override;
  void reply(wire& w, const request& r, type got, parser& p) override;
  void lost(const failure& why) override;
  void retry(wire& w, const request& r) override;

  reading::wish request_more(wire& w) override;
  bool urgent() const override { return lane_ == lane::demand || to_->urgent(); }
  bool is_open() const noexcept { return handle_.is_given(); }

  const std::shared_ptr<reading>& to() const noexcept { return to_; }
  lane where() const noexcept { return lane_; }

 private:
  void read(wire& w, range part);
  void read_speculatively(wire& w);
  bool is_speculative(const range& requested) const { return speculative_ && speculative_->offset == requested.offset; }
  bool confirm_speculative(wire& w, type got);
  void accept_data(wire& w, const range& requested, parser& p);
  void accept_refusal(wire& w, const range& requested, parser& p);
  void request_attributes(wire& w);
  void accept_attributes(parser& p);
  void finish_if_done(wire& w);
  void end(const std::optional<failure>& why);

  std::shared_ptr<reading> to_;
  lane lane_;
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
