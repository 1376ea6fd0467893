// Opening what lies below a directory, and nothing else: no "..", no symbolic link in the way, no other file system's
// magic. Names come from a server that is not trusted, and a link there must not lead a write elsewhere.
#pragma once

#include <string>

#include "remote/files/unique_fd.hpp"

namespace ferryfs {

// openat2(2) with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS; an empty path is the directory itself. On failure the
// descriptor is empty and errno says why (ELOOP: a link stood in the way).
unique_fd open_beneath(int directory, const std::string& path, int flags, unsigned mode = 0) noexcept;

// A path that reaches what a descriptor stands for, an O_PATH one too, for the calls that take none.
std::string proc_path(int fd);

// The directory that holds `path`, and the last component of it.
struct parent_of {
  unique_fd directory;
  std::string name;
};
parent_of open_parent(int directory, const std::string& path) noexcept;

}  // namespace ferryfs
