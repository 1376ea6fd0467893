#include "fs/virtual/directory.hpp"

#include <ctime>

namespace ferryfs::fs {

virtual_directory::virtual_directory(std::vector<file> files, std::uint32_t uid, std::uint32_t gid)
    : files_(std::move(files)), uid_(uid), gid_(gid) {}

inode virtual_directory::child(inode parent, std::string_view name) const {
  if (parent == first)
    for (std::size_t i = 0; i < files_.size(); ++i)
      if (files_[i].name == name) return first + 1 + i;
  return 0;
}

std::vector<std::pair<std::string, inode>> virtual_directory::list(inode directory) const {
  std::vector<std::pair<std::string, inode>> names{{".", directory}, {"..", root_inode}};
  for (std::size_t i = 0; i < files_.size(); ++i) names.emplace_back(files_[i].name, first + 1 + i);
  return names;
}

struct stat virtual_directory::attributes(inode ino) const {
  struct stat st {};
  st.st_ino = ino;
  st.st_nlink = 1;
  st.st_uid = uid_;
  st.st_gid = gid_;
  st.st_mtim.tv_sec = std::time(nullptr);
  st.st_atim = st.st_ctim = st.st_mtim;
  if (ino <= first) {  // itself, or the ".." of its listing
    st.st_mode = S_IFDIR | 0555;
    return st;
  }
  const file& f = at(ino);
  st.st_mode = S_IFREG | f.mode;
  if (f.content) st.st_size = static_cast<off_t>(f.content().size());
  return st;
}

}  // namespace ferryfs::fs
