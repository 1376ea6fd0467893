// How the disk in memory finds a node by its path, and lists paths for a checker.
#include "tests/simulation/memory_disk/node.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <functional>

namespace ferryfs::test {

// Where a path begins.
memory_disk::node_pointer memory_disk::base(int directory, const char* path) {
  if (path[0] == '/') return root_;
  if (directory == AT_FDCWD) return root_;
  auto* const d = of(directory);
  return d != nullptr ? d->of : nullptr;
}

// /proc/self/fd/N leads to what that descriptor stands for. `last`: the walk stops before the last component, which it
// gets.
memory_disk::node_pointer memory_disk::walk(node_pointer from, const std::string& path, bool follow_last, bool beneath,
                                            std::string* last) {
  std::string rest = path;
  static const std::string descriptors = "/proc/self/fd/";
  if (!beneath && rest.starts_with(descriptors)) {
    char* end = nullptr;
    const int fd = static_cast<int>(std::strtol(rest.c_str() + descriptors.size(), &end, 10));
    auto* const d = of(fd);
    if (d == nullptr) return nullptr;
    from = d->of;
    rest = end;
    while (rest.starts_with('/')) rest.erase(0, 1);
    if (rest.empty()) return from;
  }
  std::vector<std::string> parts;
  for (std::size_t at = 0; at <= rest.size();) {
    const auto slash = std::min(rest.find('/', at), rest.size());
    if (slash > at) parts.push_back(rest.substr(at, slash - at));
    at = slash + 1;
  }
  if (last != nullptr) {
    if (parts.empty()) return errno = ENOENT, nullptr;
    *last = parts.back();
    parts.pop_back();
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (!S_ISDIR(from->mode)) return errno = ENOTDIR, nullptr;
    if (parts[i] == ".") continue;
    if (parts[i] == "..") return errno = EXDEV, nullptr;
    if (parts[i].size() > 255) return errno = ENAMETOOLONG, nullptr;
    const auto at = from->names.find(parts[i]);
    if (at == from->names.end()) return errno = ENOENT, nullptr;
    const bool is_last = last == nullptr && i + 1 == parts.size();
    if (S_ISLNK(at->second->mode) && (!is_last || follow_last)) return errno = ELOOP, nullptr;
    from = at->second;
  }
  if (last != nullptr && !S_ISDIR(from->mode)) return errno = ENOTDIR, nullptr;
  return from;
}

// An empty path stands for what `directory` does.
memory_disk::node_pointer memory_disk::find(int directory, const char* path, bool follow_last) {
  auto from = base(directory, path);
  return from ? walk(std::move(from), path, follow_last, false, nullptr) : nullptr;
}

// The directory of a path's last component, which `name` gets.
memory_disk::node_pointer memory_disk::find_parent(int directory, const char* path, std::string& name) {
  auto from = base(directory, path);
  return from ? walk(std::move(from), path, false, false, &name) : nullptr;
}

int memory_disk::access(const char* path, int) {
  if (refuses("access")) return -1;
  return find(AT_FDCWD, path, true) ? 0 : -1;
}

std::optional<std::string> memory_disk::content(const std::string& path) const {
  auto at = root_;
  for (std::size_t from = 0; from <= path.size();) {
    const auto slash = std::min(path.find('/', from), path.size());
    if (slash > from) {
      const auto next = at->names.find(path.substr(from, slash - from));
      if (next == at->names.end()) return std::nullopt;
      at = next->second;
    }
    from = slash + 1;
  }
  return S_ISDIR(at->mode) ? std::nullopt : std::optional(at->data);
}

std::vector<std::string> memory_disk::paths() const {
  std::vector<std::string> found;
  const std::function<void(const node&, const std::string&)> walk_down = [&](const node& n, const std::string& path) {
    for (const auto& [name, child] : n.names) {
      found.push_back(path + name);
      walk_down(*child, path + name + '/');
    }
  };
  walk_down(*root_, "");
  return found;
}

}  // namespace ferryfs::test
