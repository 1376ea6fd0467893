// Finds the kind of file under a path, where the server's attributes do not show it and READLINK has shown that it is
// no link: what opens as a directory is one; else OPEN for reading, and FSTAT of that.
#pragma once

#include <functional>

#include "remote/source/sftp/task.hpp"

namespace ferryfs::remote::sftp {

class kind_task final : public task {
 public:
  // Nothing, and attributes that have a kind; or why the kind can't be known, which is not_found where the server
  // answers nothing but that no such file is there.
  using callback = std::function<void(request_sender&, const std::optional<failure>&, const attributes&)>;

  // A part of `whole`, whose own `lost` is called where the connection is lost. `seen`: what is known; `exists`: the
  // server has shown that something is there.
  kind_task(std::shared_ptr<task> whole, std::string path, const attributes& seen, bool exists, callback call)
      : whole_(std::move(whole)), path_(std::move(path)), seen_(seen), gone_(!exists), on_done_(std::move(call)) {}
  void start(request_sender& w) override;
  void reply(request_sender& w, const request& r, type got, parser& p) override;
  bool may_be_for_number(const request& r) const noexcept override { return r.sent == type::open; }
  void retry(request_sender& w, const request& r) override;
  void lost(const failure& why) override { whole_->lost(why); }
  const task& counted() const noexcept override { return *whole_; }

 private:
  void is(request_sender& w, std::uint32_t kind, std::uint32_t usual_mode);
  void open(request_sender& w, type how, unsigned refusals);
  void refused(request_sender& w, const request& r, parser& p);

  std::shared_ptr<task> whole_;
  std::string path_;
  attributes seen_;
  bool gone_;  // all answers so far were that no such file is there
  std::string handle_;
  callback on_done_;
};

}  // namespace ferryfs::remote::sftp
