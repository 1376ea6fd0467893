// A name that was just made on the destination's disk.
#pragma once

#include "index/base/disk.hpp"

namespace ferryfs::fs {

// Removes the name again unless it is kept: where the rest of what a change needs fails (an owner, the index on a full
// disk), no empty file is to stand before the source's picture. The caller keeps `directory` and `name` alive.
class unfinished_file {
 public:
  unfinished_file(int directory, const char* name, int flags = 0) : directory_(directory), name_(name), flags_(flags) {}
  ~unfinished_file() {
    if (name_ != nullptr) disk().unlinkat(directory_, name_, flags_);
  }
  unfinished_file(const unfinished_file&) = delete;
  unfinished_file& operator=(const unfinished_file&) = delete;
  void keep() noexcept { name_ = nullptr; }

 private:
  int directory_;
  const char* name_;
  int flags_;  // of unlinkat(2)
};

}  // namespace ferryfs::fs
