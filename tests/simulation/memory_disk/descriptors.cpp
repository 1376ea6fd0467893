// Descriptors of the disk in memory: they are opened, duplicated, locked and closed here.
#include "tests/simulation/memory_disk/node.hpp"

#include <cerrno>
#include <string>

namespace ferryfs::test {
namespace {

constexpr int first_descriptor = 1 << 20;

}  // namespace

memory_disk::descriptor* memory_disk::of(int fd) {
  const auto at = descriptors_.find(fd);
  if (at == descriptors_.end()) return errno = EBADF, nullptr;
  return at->second.get();
}

int memory_disk::add_descriptor(node_pointer n, int flags) {
  int fd = first_descriptor;
  for (const auto& [taken, d] : descriptors_) {
    if (taken != fd) break;
    ++fd;
  }
  descriptors_.emplace(fd, std::make_unique<descriptor>(descriptor{std::move(n), flags}));
  return fd;
}

int memory_disk::open_node(node_pointer directory, const std::string& path, int flags, mode_t mode, bool beneath) {
  if (!directory) return -1;
  auto n = walk(directory, path, (flags & O_NOFOLLOW) == 0, beneath, nullptr);
  if (!n && errno == ENOENT && (flags & O_CREAT) != 0) {
    std::string name;
    const auto parent = walk(directory, path, false, beneath, &name);
    if (!parent) return -1;
    if (!S_ISDIR(parent->mode)) return fail(ENOTDIR);
    if (name.size() > 255) return fail(ENAMETOOLONG);
    if (!has_room(block_size)) return fail(ENOSPC);
    n = make(S_IFREG | (mode & 07777));
    apply({{parent, name, n}});
    return add_descriptor(n, flags);
  }
  if (!n) return -1;
  if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL)) return fail(EEXIST);
  if (S_ISLNK(n->mode) && (flags & O_PATH) == 0) return fail(ELOOP);
  if ((flags & O_DIRECTORY) != 0 && !S_ISDIR(n->mode)) return fail(ENOTDIR);
  if (S_ISDIR(n->mode) && (flags & O_ACCMODE) != O_RDONLY && (flags & O_PATH) == 0) return fail(EISDIR);
  if ((flags & O_TRUNC) != 0 && S_ISREG(n->mode)) n->data.clear(), touch(*n);
  return add_descriptor(n, flags);
}

int memory_disk::open(const char* path, int flags, mode_t mode) {
  if (refuses("open")) return -1;
  return open_node(root_, path, flags, mode, false);
}

int memory_disk::openat(int directory, const char* path, int flags, mode_t mode) {
  if (refuses("openat")) return -1;
  return open_node(base(directory, path), path, flags, mode, false);
}

int memory_disk::open_beneath(int directory, const char* path, int flags, mode_t mode) {
  if (refuses("openat2")) return -1;
  if (path[0] == '/') return fail(EXDEV);
  // RESOLVE_NO_SYMLINKS: a link at the end is opened by O_PATH and O_NOFOLLOW alone.
  const auto d = base(directory, path);
  return open_node(d, path, flags, mode, true);
}

int memory_disk::duplicate(int fd) {
  if (refuses("fcntl")) return -1;
  auto* const d = of(fd);
  if (d == nullptr) return -1;
  const auto at = d->at;
  const int other = add_descriptor(d->of, d->flags);
  descriptors_.at(other)->at = at;
  return other;
}

int memory_disk::close(int fd) {
  if (fd < first_descriptor) return ::close(fd);  // a socket's, an event's
  const auto at = descriptors_.find(fd);
  if (at == descriptors_.end()) return fail(EBADF);
  if (at->second->of->locked_by == at->second->at.get() && at->second->at.use_count() == 1)
    at->second->of->locked_by = nullptr;
  descriptors_.erase(at);
  return 0;
}

int memory_disk::flock(int fd, int operation) {
  if (refuses("flock")) return -1;
  auto* const d = of(fd);
  if (d == nullptr) return -1;
  if ((operation & LOCK_UN) != 0) return d->of->locked_by = nullptr, 0;
  if (d->of->locked_by != nullptr && d->of->locked_by != d->at.get()) return fail(EWOULDBLOCK);
  d->of->locked_by = d->at.get();
  return 0;
}

void memory_disk::close_all() {
  descriptors_.clear();
  for (const auto& w : nodes_)
    if (const auto n = w.lock()) n->locked_by = nullptr;
}

}  // namespace ferryfs::test
