// .ferryfs/ in the view: the archive's state as files. It is reached by name and not listed in the root, so that du,
// find and rsync over the mount see the pictures and nothing else (as with .snapshot and .zfs).
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "index/base/mutex.hpp"
#include "index/model/entry.hpp"
#include "remote/files/unique_fd.hpp"

namespace ferryfs::fs {

// Threads: any.
class virtual_directory {
 public:
  struct file {
    std::string name;
    mode_t mode;
    std::function<std::string()> content;  // made anew at each open; empty: write-only, or has `open`
    std::function<unique_fd()> open = {};  // what takes long to make: a file to be read, of no known size before
    std::string in = "";                   // a subdirectory
  };
  // `reports` is the directory whose reports are shown in reports/; `log`, and what stands beside it, is the log.
  virtual_directory(std::vector<file> files, std::string reports, std::string log, std::uint32_t uid,
                    std::uint32_t gid);

  // Inode numbers that no row can have.
  bool holds(inode ino) const noexcept { return ino >= first; }
  inode root() const noexcept { return first; }
  inode child(inode parent, std::string_view name);  // 0: none
  // Reports and the log's files come and go: their names are not to be cached.
  bool is_steady(inode ino) const noexcept { return ino < first_report; }
  std::vector<std::pair<std::string, inode>> list(inode directory);
  // Of what was removed meanwhile, nothing.
  std::optional<struct stat> attributes(inode ino);
  bool is_directory(inode ino) const noexcept { return ino <= first + subdirectories; }
  // Where a symbolic link leads; empty: it is none.
  std::string target(inode ino);

  mode_t mode(inode ino) const { return is_steady(ino) ? at(ino).mode : 0444; }
  // Takes long to open: not on a thread that others need.
  bool is_slow(inode ino) const { return is_steady(ino) && at(ino).open; }
  struct opened {
    std::string text;
    unique_fd file;  // instead of the text
  };
  opened open(inode ino);  // errno, as std::system_error, where a report or a log is gone

 private:
  static constexpr inode first = inode{1} << 62;
  static constexpr inode subdirectories = 2;  // lists/ and reports/
  static constexpr inode lists_inode = first + 1, reports_inode = first + 2, first_file = first + 3;
  static constexpr inode first_report = first + (inode{1} << 20);
  const file& at(inode ino) const { return files_.at(ino - first_file); }
  std::string report_of(inode ino);
  inode number_of(std::string_view report);
  inode latest();  // 0: there is no report yet
  inode log_child(std::string_view name);
  std::string path_of(inode ino);
  bool is_shown(std::string_view name) const;

  std::vector<file> files_;
  std::string reports_, log_;
  std::uint32_t uid_, gid_;
  mutex mutex_{lock_level::leaf};
  // Reports by their inodes; "latest.json/TARGET" for the link, "log/INODE" for the log's file of that inode on the
  // disk.
  std::vector<std::string> seen_ GUARDED_BY(mutex_);
};

}  // namespace ferryfs::fs
