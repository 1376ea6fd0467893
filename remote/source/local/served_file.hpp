// The file that a file server has open, and the calls on it. Each returns 0 or errno.
#pragma once

#include <cstdint>

#include "remote/files/unique_fd.hpp"
#include "remote/source/local/file_call.hpp"

namespace ferryfs::remote {

class served_file {
 public:
  // `call.path` below the directory `root`; no link is followed.
  int open(int root, int flags, file_call& call);
  int read(file_call& call) const;
  int truncate(const file_call& call) const;
  int write(const file_call& call);
  // Sets mode and time, and syncs.
  int finish(const file_call& call) const;
  int close(file_call& call);

 private:
  unique_fd file_;
  std::uint64_t unsynced_ = 0;  // bytes
};

}  // namespace ferryfs::remote
