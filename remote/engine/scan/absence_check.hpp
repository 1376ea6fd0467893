// Asks the source about each name that a listing did not hold. A server may leave out a name that it can't look at
// itself (OpenSSH's sftp-server drops one whose lstat(2) fails), so only its "no such file" says that a name is gone.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "index/base/mutex.hpp"
#include "index/update/merge.hpp"
#include "remote/source/archive.hpp"

namespace ferryfs::remote {

// Threads: started on one, answered on the archive's.
class absence_check : public std::enable_shared_from_this<absence_check> {
 public:
  using name = index::listing_merge::unnamed;
  struct result {
    std::vector<inode> gone;
    std::optional<failure> why;  // of the first name that could not be looked at
    std::string still_there;     // the first name that is there after all; empty: none
  };
  using callback = std::function<void(result)>;
  // `on_done` is called once, on one of the archive's threads, with no lock held.
  absence_check(archive& source, std::string directory, std::vector<name> names, callback on_done);
  void start() { ask_more(); }

 private:
  void ask_more();
  // `replaced`: a file of a kind that is refused has the name now, so the picture that the index knows there is gone.
  void on_answer(const name& n, const std::optional<failure>& why, bool replaced);

  archive& source_;
  const std::string directory_;
  const std::vector<name> names_;
  const callback on_done_;
  mutex mutex_{lock_level::leaf};
  std::size_t asked_ GUARDED_BY(mutex_) = 0, running_ GUARDED_BY(mutex_) = 0;
  bool asking_ GUARDED_BY(mutex_) = false;  // one thread is in the loop of ask_more
  bool done_ GUARDED_BY(mutex_) = false;
  result result_ GUARDED_BY(mutex_);
};

}  // namespace ferryfs::remote
