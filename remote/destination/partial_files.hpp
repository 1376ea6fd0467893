// The files of pictures on their way, until they get their names: `.ferryfs/partial/N/INODE`, or, where their directory
// is on another file system (a mount inside the destination, a btrfs subvolume), at last `.ferryfs-INODE.part` in it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "index/base/mutex.hpp"
#include "index/model/entry.hpp"
#include "remote/files/unique_fd.hpp"

namespace ferryfs::remote {

// Threads: any; one at a time for one picture. No function throws but `open_in`.
class partial_files {
 public:
  // Makes what is needed in the open directory, which is called `shown`, and clears away what is left from before.
  // Throws ferryfs::error (local).
  void open_in(const unique_fd& home, const std::string& shown);
  // Removes the directories if they are empty.
  void close_in(const unique_fd& home) noexcept;

  // One of the directories; names in it that are no number are nobody's.
  int directory() const noexcept { return directories_[0].get(); }

  // Empty, and errno says why, where it can't be had.
  unique_fd create(inode ino, std::uint32_t mode) const noexcept;
  unique_fd open(inode ino) const noexcept;
  void remove(inode ino) noexcept;

  // Gives it its final name in an open directory, in place of nothing, or, where `replace`, of what is there. 0 or
  // errno; EXDEV: it has to be carried there first. The caller keeps others from making names.
  int give_name(inode ino, int directory, const std::string& name, bool replace) noexcept;

  // Copies it, with its owner, mode and times, to the file system of `directory` (open for reading), where the copy
  // stands for it from then on. The copy is not durable yet. 0 or errno, and then it is still where it was.
  int carry(inode ino, const unique_fd& directory) noexcept;
  bool is_carried(inode ino) const noexcept;
  // A name that `carry` gives, and no copy is under it now: it was left behind by a crash.
  bool is_left_over(std::string_view name) const noexcept;

 private:
  struct place {
    int directory;
    std::string name;
    std::shared_ptr<const unique_fd> kept;  // open meanwhile
  };
  place home_of(inode ino) const noexcept;
  place place_of(inode ino) const noexcept;
  int copy(inode ino, int directory, const std::string& name) const noexcept;

  // Several, so that writing new partial files and naming finished ones do not wait for one directory's lock.
  // And many, so that each holds few names: ext4 compares with half a block of them whenever it looks one up.
  std::array<unique_fd, 64> directories_;

  mutable mutex mutex_{lock_level::leaf};
  // The directories that partial files were carried to, and the pictures whose file is being carried.
  std::unordered_map<inode, std::shared_ptr<const unique_fd>> carried_ GUARDED_BY(mutex_);
  std::unordered_set<inode> carrying_ GUARDED_BY(mutex_);
};

// A name that `carry` gives.
bool is_partial_name(std::string_view name) noexcept;

}  // namespace ferryfs::remote
