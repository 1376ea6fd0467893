// Where the readers of directories are. The kernel opens and closes none of them with us (see op_opendir): all that it
// tells with a READDIR is the offset of the entry that it had last.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "index/entry.hpp"

namespace ferryfs::fs {

// The names at which the last replies ended. The index finds them by their offsets as well, as long as the rows are
// there: this is for those who remove what they have read. Threads: any.
class read_positions {
 public:
  void keep(inode directory, off_t offset, const std::string& name);
  std::optional<std::string> find(inode directory, off_t offset);

 private:
  static constexpr std::size_t most = 4096;
  using key = std::pair<inode, off_t>;

  std::mutex mutex_;
  std::map<key, std::string> names_;
  std::deque<key> oldest_first_;
};

}  // namespace ferryfs::fs
