// Names of the directories of the disk in memory: listed, made and removed.
#include "tests/simulation/memory_disk/node.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace ferryfs::test {

// Makes a change of names, and enters it in the journal.
void memory_disk::apply(change c) {
  for (auto& e : c) {
    auto& names = e.directory->names;
    if (const auto at = names.find(e.name); at != names.end()) --at->second->links;
    if (e.to) {
      ++e.to->links;
      names[e.name] = e.to;
      e.to->ctime = now();
    } else {
      names.erase(e.name);
    }
    touch(*e.directory);
  }
  journal_.push_back(std::move(c));
}

int memory_disk::list(int directory, const std::function<bool(const char* name)>& each) {
  if (refuses("readdir")) return errno;
  auto* const d = of(directory);
  if (d == nullptr) return EBADF;
  if (!S_ISDIR(d->of->mode)) return ENOTDIR;
  std::vector<std::string> names{".", ".."};
  for (const auto& [name, n] : d->of->names) names.push_back(name);
  for (const auto& name : names) {
    if (!each(name.c_str())) return 0;
    if (refuses("readdir")) return errno;
  }
  return 0;
}

ssize_t memory_disk::readlinkat(int directory, const char* name, char* to, std::size_t size) {
  if (refuses("readlinkat")) return -1;
  const auto n = find(directory, name, false);
  if (!n) return -1;
  if (!S_ISLNK(n->mode)) return fail(EINVAL);
  const auto length = std::min(size, n->data.size());
  std::memcpy(to, n->data.data(), length);
  return static_cast<ssize_t>(length);
}

int memory_disk::mkdir(const char* path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

int memory_disk::mkdirat(int directory, const char* path, mode_t mode) {
  if (refuses("mkdirat")) return -1;
  std::string name;
  const auto parent = find_parent(directory, path, name);
  if (!parent) return -1;
  if (!S_ISDIR(parent->mode)) return fail(ENOTDIR);
  if (parent->names.contains(name)) return fail(EEXIST);
  if (name.size() > 255) return fail(ENAMETOOLONG);
  if (!has_room(block_size)) return fail(ENOSPC);
  apply({{parent, name, make(S_IFDIR | (mode & 07777))}});
  return 0;
}

int memory_disk::mknodat(int directory, const char* path, mode_t mode, dev_t) {
  if (refuses("mknodat")) return -1;
  std::string name;
  const auto parent = find_parent(directory, path, name);
  if (!parent) return -1;
  if (parent->names.contains(name)) return fail(EEXIST);
  if (!has_room(block_size)) return fail(ENOSPC);
  apply({{parent, name, make((mode & S_IFMT) == 0 ? S_IFREG | mode : mode)}});
  return 0;
}

int memory_disk::symlinkat(const char* target, int directory, const char* path) {
  if (refuses("symlinkat")) return -1;
  std::string name;
  const auto parent = find_parent(directory, path, name);
  if (!parent) return -1;
  if (parent->names.contains(name)) return fail(EEXIST);
  if (!has_room(block_size)) return fail(ENOSPC);
  const auto n = make(S_IFLNK | 0777);
  n->data = n->synced = target;
  apply({{parent, name, n}});
  return 0;
}

int memory_disk::linkat(int from, const char* old_name, int to, const char* new_name, int) {
  if (refuses("linkat")) return -1;
  const auto n = find(from, old_name, false);
  if (!n) return -1;
  std::string name;
  const auto parent = find_parent(to, new_name, name);
  if (!parent) return -1;
  if (parent->names.contains(name)) return fail(EEXIST);
  if (S_ISDIR(n->mode)) return fail(EPERM);
  apply({{parent, name, n}});
  return 0;
}

int memory_disk::unlinkat(int directory, const char* path, int flags) {
  if (refuses("unlinkat")) return -1;
  std::string name;
  const auto parent = find_parent(directory, path, name);
  if (!parent) return -1;
  const auto at = parent->names.find(name);
  if (at == parent->names.end()) return fail(ENOENT);
  const bool is_directory = S_ISDIR(at->second->mode);
  if ((flags & AT_REMOVEDIR) != 0 && !is_directory) return fail(ENOTDIR);
  if ((flags & AT_REMOVEDIR) == 0 && is_directory) return fail(EISDIR);
  if (is_directory && !at->second->names.empty()) return fail(ENOTEMPTY);
  apply({{parent, name, nullptr}});
  return 0;
}

}  // namespace ferryfs::test
