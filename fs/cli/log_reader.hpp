// The lines of a log that is being written and rotated meanwhile.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace ferryfs::fs {

// Holds nothing open between two calls: a mount that shows the log can be taken off meanwhile, and the log goes on
// where it then stands. Its files are known by how they begin, since inode numbers are others in the mount and below
// it.
class log_reader {
 public:
  // Of the log in the directory `own` of an archive, through its mount or not.
  explicit log_reader(std::string own) : own_(std::move(own)) {}
  // The directory of the log from now on.
  void move_to(std::string own) { own_ = std::move(own); }

  // Calls `each` with every line that came since the last call, at first with all, the oldest first; without its
  // newline. False: `each` returned it and wants no more. `all`: also a last line that has no end yet. Throws
  // ferryfs::error (local) where there is no log, or it can't be read.
  using on_line = std::function<bool(std::string_view)>;
  bool read_new(const on_line& each, bool all = false);

 private:
  std::string own_;
  std::string begin_;       // how the file begins that was read last
  std::uint64_t read_ = 0;  // how much of it
};

}  // namespace ferryfs::fs
