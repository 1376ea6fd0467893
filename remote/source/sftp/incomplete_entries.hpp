// The entries of one listing of which its READDIRs did not tell enough: READLINK for each symbolic link, and for each
// name that the server sent without its kind LSTAT, READLINK, and when the directory is closed again OPENDIR and OPEN.
// An entry that is there, and of which all that does not tell enough, is a lack.
#pragma once

#include <deque>
#include <functional>

#include "remote/source/sftp/task.hpp"

namespace ferryfs::remote::sftp {

// A part of the task that lists; for the thread of its connection.
class incomplete_entries {
 public:
  // `directory`: the path of the listed one. `take` gets each entry as it is known from then on; it may give it back
  // by `add`.
  incomplete_entries(const std::string& directory, std::function<void(directory_entry)> take)
      : directory_(directory), take_(std::move(take)) {}

  // Attributes without a kind, and links without a target.
  static bool is_incomplete(const directory_entry& f);
  void add(directory_entry f) { waiting_.push_back(std::move(f)); }
  // No more names are asked for while there are as many.
  bool are_too_many() const noexcept;
  // Asks the server about those that wait, many at a time, for `owner`.
  void request_more(request_sender& w, const std::shared_ptr<task>& owner);
  // A reply to LSTAT or READLINK of `owner`.
  void reply(request_sender& w, const std::shared_ptr<task>& owner, const request& r, type got, parser& p);
  // Opens entries whose kind nothing else shows, several at a time; `on_learnt` is called after each. The directory's
  // own handle is closed by then: a server may have one for a connection.
  void learn_kinds(request_sender& w, const std::shared_ptr<task>& owner,
                   const std::function<void(request_sender&)>& on_learnt);

  bool has_requests() const noexcept { return completing_ > 0; }  // LSTAT or READLINK, not answered
  bool has_waiting() const noexcept { return !waiting_.empty(); }
  bool is_learning() const noexcept { return learning_ > 0; }
  bool has_kindless() const noexcept { return !kindless_.empty(); }
  // The first lack, with the number of the others.
  std::optional<failure> lack() const;

 private:
  struct kindless {
    directory_entry entry;
    bool exists;  // LSTAT showed it
  };
  void accept_attributes(request_sender& w, const std::shared_ptr<task>& owner, directory_entry f, type got, parser& p);
  void accept_target(const request_sender& w, const request& r, type got, parser& p);
  void record_lack(std::string why);
  std::string shown(const directory_entry& f) const;

  const std::string directory_;
  const std::function<void(directory_entry)> take_;
  std::deque<directory_entry> waiting_;  // to request more about
  std::uint32_t completing_ = 0;         // of those, requested and not answered
  std::deque<kindless> kindless_;        // neither links nor anything that the attributes tell
  std::uint32_t learning_ = 0;           // of those, being opened
  std::optional<failure> lacking_;       // the first entry that can't be completed
  std::uint32_t lacks_ = 0;
};

}  // namespace ferryfs::remote::sftp
