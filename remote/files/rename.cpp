#include "remote/files/rename.hpp"
#include "index/base/disk.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace ferryfs {
namespace {

bool is_unknown(int problem) { return problem == EINVAL || problem == ENOSYS || problem == EOPNOTSUPP; }

// EPERM: of a directory, of a file system without links, or of another's file (fs.protected_hardlinks).
bool has_no_link(int problem) { return is_unknown(problem) || problem == EPERM || problem == EMLINK; }

// A second name fails where something has that name; then the first one goes.
int link_and_unlink(int from, const char* old_name, int to, const char* name) {
  if (disk().linkat(from, old_name, to, name, 0) != 0) return errno;
  if (disk().unlinkat(from, old_name, 0) == 0) return 0;
  const int problem = errno;
  disk().unlinkat(to, name, 0);
  return problem;
}

int look_and_rename(int from, const char* old_name, int to, const char* name) {
  struct stat st {};
  if (disk().fstatat(to, name, &st, AT_SYMLINK_NOFOLLOW) == 0) return EEXIST;
  if (errno != ENOENT) return errno;
  return disk().renameat(from, old_name, to, name) == 0 ? 0 : errno;
}

}  // namespace

int rename_no_replace(int from, const std::string& old_name, int to, const std::string& name,
                      no_links otherwise) noexcept {
  if (disk().renameat2(from, old_name.c_str(), to, name.c_str(), RENAME_NOREPLACE) == 0) return 0;
  if (!is_unknown(errno)) return errno;
  const int problem = link_and_unlink(from, old_name.c_str(), to, name.c_str());
  if (!has_no_link(problem) || otherwise == no_links::fail) return problem;
  return look_and_rename(from, old_name.c_str(), to, name.c_str());
}

}  // namespace ferryfs
