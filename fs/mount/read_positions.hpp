// Where the readers of directories are. Once all are listed the kernel opens and closes none of them with us (see
// op_opendir): all that it tells with a READDIR is the offset of the entry that it had last.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "index/entry.hpp"

namespace ferryfs::fs {

// The names at which the last replies ended, and those that were removed or renamed last. The index finds the others by
// their offsets: this is for those who change what they have read. Threads: any.
class read_positions {
 public:
  // An entry's offset is its inode's number, after "." and "..": it means the same whatever comes and goes around it.
  static constexpr off_t dot = 1, dot_dot = 2;
  static off_t of(const entry& e) { return dot_dot + static_cast<off_t>(e.ino); }

  void keep(inode directory, off_t offset, const std::string& name);
  // The entry is given out by this name from now on.
  void correct(inode directory, off_t offset, const std::string& name);
  std::optional<std::string> find(inode directory, off_t offset);
  bool any_in(inode directory);

 private:
  static constexpr std::size_t most = 16'384;
  using key = std::pair<inode, off_t>;
  struct place {
    std::string name;
    std::list<key>::iterator age;
  };

  std::mutex mutex_;
  std::map<key, place> places_;
  std::list<key> oldest_first_;
};

}  // namespace ferryfs::fs
