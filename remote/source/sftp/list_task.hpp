// One directory being listed: OPENDIR, several READDIRs in flight (the server keeps the position, and may answer in any
// order), CLOSE; READLINK for each symbolic link, and for each name that the server sent without its kind LSTAT,
// READLINK, and when the directory is closed again OPENDIR and OPEN. Where the server's handle can be predicted, the
// first READDIRs go with the OPENDIR. A name of which all that does not tell enough, though it is there, makes the
// listing end with a failure; the others are handed over all the same.
#pragma once

#include <deque>

#include "remote/source/sftp/predicted_handle.hpp"
#include "remote/source/sftp/task.hpp"

namespace ferryfs::remote::sftp {

class list_task final : public task {
 public:
  list_task(std::string path, std::shared_ptr<listing> to) : path_(std::move(path)), to_(std::move(to)) {}
  void start(request_sender& w) override;
  void reply(request_sender& w, const request& r, type got, parser& p) override;
  void lost(const failure& why) override;
  void retry(request_sender& w, const request& r) override;

 private:
  void set_handle(request_sender& w, std::string handle);
  void request_names(request_sender& w);
  void accept_readdir(request_sender& w, type got, parser& p);
  void accept_names(request_sender& w, parser& p);
  void refuse(const std::string& name, const std::string& why);
  void take(directory_entry f);
  void complete_names(request_sender& w);
  void accept_attributes(request_sender& w, directory_entry f, type got, parser& p);
  void accept_target(request_sender& w, const request& r, type got, parser& p);
  void learn_kinds(request_sender& w);
  void record_lack(std::string why);
  std::string shown(const directory_entry& f) const;
  void finish_if_done(request_sender& w);
  std::string shown() const;
  void hand_over();
  void end(const std::optional<failure>& why);

  std::string path_;
  std::shared_ptr<listing> to_;
  predicted_handle handle_;
  bool names_before_handle_ = false;  // a READDIR was answered with names before OPENDIR was
  std::uint32_t window_ = 4;  // READDIRs to keep in flight: a few hundred names and the end; doubles while names come
  std::uint32_t outstanding_ = 0;  // READDIRs without an answer
  std::uint32_t packets_ = 0;      // of names
  std::uint32_t fullest_ = 0;
  bool short_ = false;  // the last packet held fewer names than another: most likely it was the last one of names
  std::uint64_t total_ = 0;
  std::size_t refused_ = 0;  // bytes of names that can't stand here
  bool at_end_ = false;
  std::deque<directory_entry> incomplete_;  // names to request more about
  std::uint32_t completing_ = 0;            // of those, requested and not answered
  struct kindless {
    directory_entry name;
    bool exists;  // LSTAT showed it
  };
  std::deque<kindless> kindless_;  // neither links nor anything that the attributes tell
  std::uint32_t learning_ = 0;     // of those, being opened
  bool closed_ = false;
  std::vector<directory_entry> ready_;
  std::optional<failure> failed_;
  std::optional<failure> lacking_;  // the first name that can't be completed
  std::uint32_t lacks_ = 0;
};

}  // namespace ferryfs::remote::sftp
