// Where the readers of directories are. Once all are listed the kernel opens and closes none of them with us (see
// op_opendir): all that it tells with a READDIR is the offset of the entry that it had last.
//
// A listing goes by name, so an offset must go on meaning the name that its entry was listed by, whatever is renamed or
// removed meanwhile (POSIX, readdir: a name that stays is returned once). An offset is the number of an inode and of a
// stamp. Before an entry leaves its name, that name is remembered for its present offset; the entry is listed by
// another offset, with the next stamp, as soon as it has another name.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "index/base/mutex.hpp"
#include "index/model/entry.hpp"

namespace ferryfs::fs {

// Remembers the last 16,384 names. Threads: any.
class readdir_cursors {
 public:
  static constexpr off_t dot = 1, dot_dot = 2;

  // The offset of an entry is that of its inode, unless it was renamed while its directory was being listed.
  static off_t of(inode ino) { return dot_dot + static_cast<off_t>(ino); }
  // The offset to list `e` by.
  off_t offset_of(const entry& e);
  // The inode that an offset after dot_dot was given to.
  static inode inode_at(off_t offset) { return static_cast<inode>((offset - dot_dot) & inode_mask); }

  // From now on `offset` means `name`. Nothing changes where it means another already.
  void remember(inode directory, off_t offset, const std::string& name);
  // `e` is about to leave its name. Called before the index shows it.
  void departs(const entry& e);
  // The name that is remembered for an offset.
  std::optional<std::string> find(inode directory, off_t offset);
  bool any_in(inode directory);

 private:
  static constexpr std::size_t most = 16'384;
  static constexpr unsigned inode_bits = 42;  // the stamp has 20 more, and an off_t is positive
  static constexpr off_t inode_mask = (off_t{1} << inode_bits) - 1;
  static constexpr std::uint32_t last_stamp = (1U << 20) - 1;
  using key = std::pair<inode, off_t>;
  struct place {
    std::string name;
    std::list<key>::iterator age;
  };
  off_t present_offset(inode ino) const REQUIRES(mutex_);
  void insert(const key& at, const std::string& name) REQUIRES(mutex_);

  mutex mutex_{lock_level::leaf};
  std::map<key, place> places_ GUARDED_BY(mutex_);
  std::list<key> oldest_first_ GUARDED_BY(mutex_);
  std::unordered_map<inode, std::uint32_t> stamps_ GUARDED_BY(mutex_);  // of entries with another one than 0
};

}  // namespace ferryfs::fs
