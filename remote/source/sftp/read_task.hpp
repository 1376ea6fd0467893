// One file being read: OPEN, READs of many ranges in flight, FSTAT behind the last of them, CLOSE. Where somebody waits
// for it and the server's handle can be foretold, the first READ goes with the OPEN; it counts only if the handle is
// the foretold one, and is else asked for again.
#pragma once

#include "remote/source/sftp/task.hpp"

namespace ferryfs::remote::sftp {

class read_task final : public transfer {
 public:
  read_task(std::shared_ptr<reading> to, lane where) : to_(std::move(to)), lane_(where) {}
  void start(wire& w) override;
  void reply(wire& w, const request& r, type got, parser& p) override;
  void lost(const failure& why) override;
  void again(wire& w, const request& r) override;

  reading::wish request_more(wire& w) override;
  bool urgent() const override { return lane_ == lane::demand || to_->urgent(); }
  bool is_open() const noexcept { return opened_; }

  const std::shared_ptr<reading>& to() const noexcept { return to_; }
  lane where() const noexcept { return lane_; }

 private:
  void read(wire& w, range part);
  void read_unopened(wire& w);
  bool is_early(const range& asked) const { return early_ && early_->offset == asked.offset; }
  bool takes_early(wire& w, type got);
  void data(wire& w, const range& asked, parser& p);
  void no_data(wire& w, const range& asked, parser& p);
  void look_again(wire& w);
  void looked_at(parser& p);
  void settle(wire& w);
  void end(const std::optional<failure>& why);

  std::shared_ptr<reading> to_;
  lane lane_;
  std::string handle_;           // before OPEN is answered: the foretold one
  std::optional<range> early_;   // READ with that, and not answered
  std::optional<range> missed_;  // the same, answered before OPEN was: to be asked for again
  bool foretold_ = false;        // rightly
  bool opened_ = false;
  bool enough_ = false;
  std::uint32_t reads_ = 0;  // READs without an answer
  std::uint32_t looks_ = 0;  // FSTATs without an answer
  bool looked_ = false;      // an FSTAT was sent behind the last READ
  attributes after_;
  std::optional<failure> failed_;
};

}  // namespace ferryfs::remote::sftp
