// setxattr, removexattr: of the destination's own file. What is missing is made whole before it is given one.
#include <sys/stat.h>

#include "fs/mount/change/changes.hpp"
#include "fs/mount/change/mutation.hpp"
#include "fs/mount/state/answer_errno.hpp"
#include "fs/mount/view/local_file.hpp"
#include "index/base/clock.hpp"

namespace ferryfs::fs {
namespace {

// `apply(path)` is the system call.
template <typename Apply>
void change_here(merged_tree& tree, inode ino, Apply&& apply) {
  const name_change changing{tree};
  const auto file = find_local(tree, ino, true);
  if (!file) throw answer_errno{EOPNOTSUPP};
  if (apply(proc_path(file->get()).c_str()) != 0) throw answer_errno{errno};
  tree.archive.index().run([&](index::transaction& t) { index::apply_ctime(t, ino, wall_nanoseconds()); });
}

void refuse_own_attribute(std::string_view name) {
  if (name.starts_with(own_attributes)) throw answer_errno{EPERM};
  if (!is_passed_on(name)) throw answer_errno{EOPNOTSUPP};
}

}  // namespace

bool set_extended_attribute(merged_tree& tree, inode ino, const char* name, std::string_view value, int flags) {
  refuse_own_attribute(name);
  const auto e = tree.archive.readers().borrow()->by_inode(ino);
  if (e && e->is_gap() && e->is_directory()) {
    const name_change changing{tree};
    open_destination_directory(tree, ino, true);
  }
  if (e && e->is_gap() && S_ISREG(e->shown().mode)) return false;
  set_extended_attribute_of_hydrated(tree, ino, name, value, flags);
  return true;
}

void set_extended_attribute_of_hydrated(merged_tree& tree, inode ino, const char* name, std::string_view value,
                                        int flags) {
  change_here(tree, ino,
              [&](const char* path) { return disk().setxattr(path, name, value.data(), value.size(), flags); });
}

void remove_extended_attribute(merged_tree& tree, inode ino, const char* name) {
  refuse_own_attribute(name);
  if (!find_local(tree, ino)) throw answer_errno{ENODATA};
  change_here(tree, ino, [&](const char* path) { return disk().removexattr(path, name); });
}

}  // namespace ferryfs::fs
