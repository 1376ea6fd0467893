// renameat2(2) of the disk in memory, in its three kinds.
#include "tests/simulation/memory_disk/node.hpp"

#include <linux/fs.h>

#include <cerrno>

namespace ferryfs::test {

bool memory_disk::is_at_or_below(const node_pointer& n, const node_pointer& top) {
  if (n == top) return true;
  for (const auto& [name, child] : top->names)
    if (S_ISDIR(child->mode) && is_at_or_below(n, child)) return true;
  return false;
}

int memory_disk::renameat2(int from, const char* old_path, int to, const char* new_path, unsigned flags) {
  if (refuses("renameat2")) return -1;
  std::string old_name, new_name;
  const auto old_parent = find_parent(from, old_path, old_name);
  const auto new_parent = find_parent(to, new_path, new_name);
  if (!old_parent || !new_parent) return -1;
  const auto moved = old_parent->names.find(old_name);
  if (moved == old_parent->names.end()) return fail(ENOENT);
  const auto there = new_parent->names.find(new_name);
  const bool taken = there != new_parent->names.end();
  if ((flags & RENAME_NOREPLACE) != 0 && taken) return fail(EEXIST);
  const auto one = moved->second;
  if ((flags & RENAME_EXCHANGE) != 0 && !taken) return fail(ENOENT);
  if (S_ISDIR(one->mode) && is_at_or_below(new_parent, one)) return fail(EINVAL);
  if (taken && S_ISDIR(there->second->mode) && is_at_or_below(old_parent, there->second))
    return fail((flags & RENAME_EXCHANGE) != 0 ? EINVAL : ENOTEMPTY);
  if ((flags & RENAME_EXCHANGE) != 0) {
    const auto other = there->second;
    ++one->links, ++other->links;  // both names go on standing for something
    apply({{old_parent, old_name, other}, {new_parent, new_name, one}});
    --one->links, --other->links;
    return 0;
  }
  if (taken && there->second == one) return 0;
  if (taken && S_ISDIR(there->second->mode) && !S_ISDIR(one->mode)) return fail(EISDIR);
  if (taken && !S_ISDIR(there->second->mode) && S_ISDIR(one->mode)) return fail(ENOTDIR);
  if (taken && S_ISDIR(there->second->mode) && !there->second->names.empty()) return fail(ENOTEMPTY);
  apply({{new_parent, new_name, one}, {old_parent, old_name, nullptr}});
  return 0;
}

}  // namespace ferryfs::test
