// One file being written: LSTAT of what stands there, OPEN, WRITEs of many ranges in flight, and behind the last of
// them mode and time, fsync where the server has it, FSTAT and CLOSE. A server may refuse mode and time: the
// file's attributes are what FSTAT shows.
#pragma once

#include <vector>

#include "remote/source/sftp/task.hpp"

namespace ferryfs::remote::sftp {

class write_task final : public transfer {
 public:
  explicit write_task(std::shared_ptr<writing> from) : from_(std::move(from)) {}
  void start(request_sender& w) override;
  void reply(request_sender& w, const request& r, type got, parser& p) override;
  void lost(const failure& why) override;
  void retry(request_sender& w, const request& r) override;

  next_step request_more(request_sender& w) override;
  bool urgent() const override { return false; }

 private:
  void accept_attributes(request_sender& w, type got, parser& p);
  void open(request_sender& w, std::uint32_t flags);
  void accept_handle(request_sender& w, type got, parser& p);
  void complete(request_sender& w);
  builder begin(request_sender& w, type t, range part = {});
  void close(request_sender& w);
  void finish_if_done(request_sender& w);
  void end(const std::optional<failure>& why);

  std::shared_ptr<writing> from_;
  std::string handle_;
  std::uint32_t flags_ = 0;        // of its OPEN
  std::uint64_t there_ = 0;        // bytes that stood there before
  std::uint32_t outstanding_ = 0;  // requests without an answer
  bool all_given_ = false, closed_ = false;
  attributes after_;
  std::optional<failure> failed_;
  std::vector<std::byte> bytes_;
};

}  // namespace ferryfs::remote::sftp
