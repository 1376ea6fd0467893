// The kinds of files that stay on the source: a name of such a kind is refused.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>

namespace ferryfs::remote {

// `mode` as st_mode. A mode without a kind is of none that is refused.
inline bool is_refused_kind(std::uint32_t mode) {
  const auto kind = mode & S_IFMT;
  return kind != 0 && kind != S_IFREG && kind != S_IFDIR && kind != S_IFLNK;
}

// One line for people; `mode` is of a refused kind.
inline std::string why_refused(std::uint32_t mode) {
  const auto kind = mode & S_IFMT;
  return std::string(kind == S_IFIFO                      ? "a pipe"
                     : kind == S_IFSOCK                   ? "a socket"
                     : kind == S_IFBLK || kind == S_IFCHR ? "a device"
                                                          : "a file of an unknown kind") +
         "; only files, directories and symbolic links are copied";
}

}  // namespace ferryfs::remote
