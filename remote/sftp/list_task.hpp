// One directory being listed: OPENDIR, several READDIRs in flight (the server keeps the position and answers in
// order), CLOSE; READLINK for each symbolic link, and LSTAT for each name that the server sent without a mode.
#pragma once

#include <deque>

#include "remote/sftp/task.hpp"

namespace ferryfs::remote::sftp {

class list_task final : public task {
 public:
  list_task(std::string path, std::shared_ptr<listing> to) : path_(std::move(path)), to_(std::move(to)) {}
  void start(wire& w) override;
  void reply(wire& w, const request& r, type got, parser& p) override;
  void lost(const failure& why) override;

 private:
  void opened(wire& w, std::string handle);
  void ask(wire& w);
  void names(wire& w, parser& p);
  void take(found f);
  void complete(wire& w);
  void completed(const request& r, type got, parser& p);
  void settle(wire& w);
  void hand_over();
  void end(const std::optional<failure>& why);

  std::string path_;
  std::shared_ptr<listing> to_;
  std::string handle_;
  bool opened_ = false;
  std::uint32_t misnamed_ = 0;  // READDIRs sent beside the OPENDIR with a handle that was none
  std::uint32_t window_ = 4;    // READDIRs to keep in flight: a few hundred names and the end; doubles while names come
  std::uint32_t asked_ = 0, packets_ = 0;  // of names
  std::uint32_t fullest_ = 0;
  bool short_ = false;  // the last packet held fewer names than another: most likely it was the last one of names
  std::uint64_t total_ = 0;
  bool at_end_ = false;
  std::deque<found> incomplete_;  // names to ask more about
  std::uint32_t completing_ = 0;  // of those, asked and not answered
  std::vector<found> ready_;
  std::optional<failure> failed_;
};

}  // namespace ferryfs::remote::sftp
