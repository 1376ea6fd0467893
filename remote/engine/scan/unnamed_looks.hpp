// Own looks at names that a listing did not hold. A server may leave out what it can't look at itself (OpenSSH's
// sftp-server drops a name whose lstat(2) fails), so only its "no such file" says that a name is gone.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "index/update/merge.hpp"
#include "remote/source/archive.hpp"

namespace ferryfs::remote {

class unnamed_looks : public std::enable_shared_from_this<unnamed_looks> {
 public:
  using name = index::listing_merge::unnamed;
  struct answer {
    std::vector<inode> gone;
    std::optional<failure> why;  // of the first name that could not be looked at
    std::string still_there;     // the first name that is there after all; empty: none
  };
  // `done` is called once, on one of the archive's threads.
  unnamed_looks(archive& source, std::string directory, std::vector<name> names, std::function<void(answer)> done);
  void start();

 private:
  void look_at_more();
  // `replaced`: a file of a kind that is refused has the name now, so what the index knows there is gone.
  void answered(const name& n, const std::optional<failure>& why, bool replaced);

  archive& source_;
  const std::string directory_;
  const std::vector<name> names_;
  std::function<void(answer)> done_;
  std::mutex mutex_;
  std::size_t asked_ = 0, running_ = 0;
  bool asking_ = false, over_ = false;
  answer answer_;
};

}  // namespace ferryfs::remote
