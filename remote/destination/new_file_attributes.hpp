// Which owner, mode and times files get in the destination, by themselves or because they are set. Found out once, with
// a file on trial: it depends on our user, the umask, ACLs, and the file system.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>

#include "index/base/time.hpp"
#include "remote/destination/partial_files.hpp"

namespace ferryfs::remote {

// Threads: any, after `probe`.
class new_file_attributes {
 public:
  // Tries it among the partial files, under the number of no picture; `root`: the destination's directory. Where there
  // is no room for a file, it is taken that all can be had: nothing is fetched before there is some.
  void probe(partial_files& trials, const struct stat& root);

  // The owner and group of what is made or fetched: those of `root`, as far as they can be given.
  std::uint32_t uid() const noexcept { return uid_; }
  std::uint32_t gid() const noexcept { return gid_; }
  bool gives_owner() const noexcept { return other_owner_.empty(); }
  // Why they are not those of `root`, and which they are; empty: they are.
  const std::string& other_owner() const noexcept { return other_owner_; }
  // Which times files can have.
  const time_range& times() const noexcept { return times_; }
  // A partial file that was made with this mode has just that.
  bool makes(std::uint32_t mode) const noexcept { return modes_hold_ && mode == (mode & 0777 & ~umask_); }

  // Give what is open that owner, or the usual one; a mode. Where our user, or the file system, can't give it, it stays
  // as it was made. 0 or errno.
  int give_owner(int file, std::optional<std::uint32_t> uid, std::optional<std::uint32_t> gid) const noexcept;
  int give_mode(int file, std::uint32_t mode) const noexcept;

 private:
  void probe_mode(partial_files& trials);
  void probe_times(int file);
  void probe_owner(partial_files& trials, const struct stat& root);

  std::uint32_t uid_ = 0, gid_ = 0;
  std::uint32_t umask_ = 0;
  bool ours_ = false;        // new files get their owner by themselves
  bool modes_hold_ = false;  // not so with a default ACL, or where the file system has a mode for all
  std::string other_owner_;
  time_range times_;
};

}  // namespace ferryfs::remote
