// Real file systems to be filled: each in an image or a directory of the test's own, mounted for as long as it lives.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "tests/doubles/process.hpp"
#include "tests/doubles/temp_dir.hpp"

namespace ferryfs::test {

class disk {
 public:
  virtual ~disk() = default;
  disk() = default;
  disk(const disk&) = delete;
  disk& operator=(const disk&) = delete;

  // Where it is mounted: an empty directory.
  std::filesystem::path root() const { return dir_ / "disk"; }

  // Of ext4 and xfs, when nobody has a file of it open: the power goes, with all that was not synced, and comes back.
  void cut_power();

 protected:
  // Runs a command of the shell in the disk's directory; the test case ends as skipped, with what it said, where that
  // fails.
  void need(const std::string& command) const;
  const std::filesystem::path& directory() const { return dir_.path(); }

 private:
  temp_dir dir_{"disk"};
};

// ext4, xfs, btrfs (with a subvolume at 20240102), tmpfs, ntfs-3g, lowntfs-3g (which takes "A" and "a" for the same),
// mergerfs (without shared memory), glusterfs (a brick's process and a client, over loopback). Skips the test case
// where this machine lacks something for it.
std::unique_ptr<disk> make_disk(const std::string& kind);

}  // namespace ferryfs::test
