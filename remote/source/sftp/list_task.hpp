// One directory being listed: OPENDIR, several READDIRs in flight (the server keeps the position, and may answer in any
// order), CLOSE; what they do not tell of a name is asked for one by one (incomplete_entries.hpp). Where the server's
// handle can be predicted, the first READDIRs go with the OPENDIR. A name of which all that does not tell enough,
// though it is there, makes the listing end with a failure; the others are handed over all the same.
#pragma once

#include "remote/source/sftp/incomplete_entries.hpp"
#include "remote/source/sftp/predicted_handle.hpp"
#include "remote/source/sftp/task.hpp"

namespace ferryfs::remote::sftp {

class list_task final : public task {
 public:
  list_task(std::string path, std::shared_ptr<listing> to)
      : path_(std::move(path)),
        to_(std::move(to)),
        incomplete_(path_, [this](directory_entry f) { take(std::move(f)); }) {}
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
  void finish_if_done(request_sender& w);
  std::string shown() const;
  void hand_over();
  void end(const std::optional<failure>& why);

  std::string path_;
  std::string where_;  // the server, for messages
  std::shared_ptr<listing> to_;
  predicted_handle handle_;
  bool names_before_handle_ = false;  // a READDIR was answered with names before OPENDIR was
  std::uint32_t window_ = 4;  // READDIRs to keep in flight: a few hundred names and the end; doubles while names come
  std::uint32_t outstanding_ = 0;  // READDIRs without an answer
  std::uint32_t packets_ = 0;      // of names
  std::uint32_t fullest_ = 0;
  bool short_ = false;  // the last packet held fewer names than another: most likely it was the last one of names
  std::uint64_t total_ = 0;
  std::size_t refused_ = 0;  // bytes of names that can't be stored here
  bool at_end_ = false;
  incomplete_entries incomplete_;
  bool closed_ = false;
  std::vector<directory_entry> ready_;
  std::optional<failure> failed_;
};

}  // namespace ferryfs::remote::sftp
