// .ferryfs/ in the view: the archive's state as files. It is reached by name and not listed in the root, so that du,
// find and rsync over the mount see the pictures and nothing else (as with .snapshot and .zfs).
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "index/entry.hpp"

namespace ferryfs::fs {

class virtual_directory {
 public:
  struct file {
    std::string name;
    mode_t mode;
    std::function<std::string()> content;  // made anew at each open; empty: write-only
  };
  virtual_directory(std::vector<file> files, std::uint32_t uid, std::uint32_t gid);

  // Inode numbers that no row can have.
  bool holds(inode ino) const noexcept { return ino >= first; }
  inode root() const noexcept { return first; }
  inode child(inode parent, std::string_view name) const;  // 0: none
  std::vector<std::pair<std::string, inode>> list(inode directory) const;
  struct stat attributes(inode ino) const;
  const file& at(inode ino) const { return files_.at(ino - first - 1); }

 private:
  static constexpr inode first = inode{1} << 62;
  std::vector<file> files_;
  std::uint32_t uid_, gid_;
};

}  // namespace ferryfs::fs
