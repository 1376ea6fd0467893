#include "tests/simulation/memory_disk.hpp"

#include <linux/fs.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>

#include "index/base/clock.hpp"

namespace ferryfs::test {
namespace {

constexpr int first_descriptor = 1 << 20;
constexpr dev_t device = 0xFE01;
constexpr std::uint64_t block = 4096;

int fail(int problem) {
  errno = problem;
  return -1;
}

timespec now() {
  const auto ns = wall_nanoseconds();
  return {ns / 1'000'000'000, ns % 1'000'000'000};
}

}  // namespace

struct memory_disk::node {
  std::uint64_t number = 0;
  mode_t mode = 0;
  uid_t uid = 0;
  gid_t gid = 0;
  timespec mtime{}, ctime{}, birth{};
  std::string data;                                         // bytes, or where a symbolic link leads
  std::string synced;                                       // as it survives a power cut
  std::map<std::string, node_pointer> names, synced_names;  // of a directory
  unsigned links = 0;
  const void* locked_by = nullptr;
};

struct memory_disk::descriptor {
  node_pointer of;
  int flags;
  std::shared_ptr<off_t> at = std::make_shared<off_t>(0);  // shared with duplicates
};

memory_disk::memory_disk(options o) : options_(o) {
  root_ = make(S_IFDIR | 0755);
  root_->links = 1;
}

memory_disk::~memory_disk() = default;

bool memory_disk::refuses(const char* call) {
  const int problem = hook_ ? hook_(call) : 0;
  if (problem != 0) errno = problem;
  return problem != 0;
}

memory_disk::descriptor* memory_disk::of(int fd) {
  const auto at = descriptors_.find(fd);
  if (at == descriptors_.end()) return errno = EBADF, nullptr;
  return at->second.get();
}

memory_disk::node_pointer memory_disk::make(mode_t mode) {
  auto n = std::make_shared<node>();
  n->number = ++last_number_;
  n->mode = mode;
  n->mtime = n->ctime = n->birth = now();
  std::erase_if(nodes_, [](const auto& w) { return w.expired(); });
  nodes_.push_back(n);
  return n;
}

// Where a path begins: /proc/self/fd/N leads to what that descriptor stands for.
memory_disk::node_pointer memory_disk::base(int directory, const char* path) {
  if (path[0] == '/') return root_;
  if (directory == AT_FDCWD) return root_;
  auto* const d = of(directory);
  return d != nullptr ? d->of : nullptr;
}

// `last`: stops before the last component, which it gets.
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

memory_disk::node_pointer memory_disk::find(int directory, const char* path, bool follow_last) {
  auto from = base(directory, path);
  return from ? walk(std::move(from), path, follow_last, false, nullptr) : nullptr;
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
    if (!has_room(block)) return fail(ENOSPC);
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

void memory_disk::touch(node& n) { n.mtime = n.ctime = now(); }

void memory_disk::fill(const node& n, struct stat& to) const {
  to = {};
  to.st_dev = device;
  to.st_ino = n.number;
  to.st_mode = n.mode;
  to.st_nlink = S_ISDIR(n.mode) ? 2 : n.links;
  to.st_uid = n.uid, to.st_gid = n.gid;
  to.st_size = S_ISDIR(n.mode) ? static_cast<off_t>(block) : static_cast<off_t>(n.data.size());
  to.st_blksize = block;
  to.st_blocks = static_cast<blkcnt_t>((n.data.size() + 511) / 512);
  to.st_mtim = n.mtime, to.st_ctim = n.ctime, to.st_atim = n.mtime;
}

int memory_disk::fstat(int fd, struct stat* to) {
  if (refuses("fstat")) return -1;
  auto* const d = of(fd);
  if (d == nullptr) return -1;
  fill(*d->of, *to);
  return 0;
}

int memory_disk::lstat(const char* path, struct stat* to) {
  if (refuses("lstat")) return -1;
  const auto n = find(AT_FDCWD, path, false);
  if (!n) return -1;
  fill(*n, *to);
  return 0;
}

int memory_disk::fstatat(int directory, const char* name, struct stat* to, int flags) {
  if (refuses("fstatat")) return -1;
  const auto n = (flags & AT_EMPTY_PATH) != 0 && *name == '\0'
                     ? base(directory, name)
                     : find(directory, name, (flags & AT_SYMLINK_NOFOLLOW) == 0);
  if (!n) return -1;
  fill(*n, *to);
  return 0;
}

int memory_disk::statx(int directory, const char* name, int flags, unsigned, struct statx* to) {
  if (refuses("statx")) return -1;
  const auto n = (flags & AT_EMPTY_PATH) != 0 && *name == '\0'
                     ? base(directory, name)
                     : find(directory, name, (flags & AT_SYMLINK_NOFOLLOW) == 0);
  if (!n) return -1;
  struct stat st {};
  fill(*n, st);
  *to = {};
  to->stx_mask = STATX_BASIC_STATS | STATX_BTIME;
  to->stx_mode = static_cast<std::uint16_t>(st.st_mode);
  to->stx_ino = st.st_ino;
  to->stx_size = static_cast<std::uint64_t>(st.st_size);
  to->stx_nlink = static_cast<std::uint32_t>(st.st_nlink);
  to->stx_mtime = {n->mtime.tv_sec, static_cast<std::uint32_t>(n->mtime.tv_nsec), {}};
  to->stx_ctime = {n->ctime.tv_sec, static_cast<std::uint32_t>(n->ctime.tv_nsec), {}};
  to->stx_btime = {n->birth.tv_sec, static_cast<std::uint32_t>(n->birth.tv_nsec), {}};
  to->stx_dev_major = major(device), to->stx_dev_minor = minor(device);
  return 0;
}

std::uint64_t memory_disk::used() const {
  std::uint64_t sum = 0;
  for (const auto& w : nodes_)
    if (const auto n = w.lock()) sum += block + (n->data.size() + block - 1) / block * block;
  return sum;
}

bool memory_disk::has_room(std::uint64_t more) { return used() + more <= options_.capacity; }

int memory_disk::fstatvfs(int fd, struct statvfs* to) {
  if (refuses("fstatvfs")) return -1;
  if (of(fd) == nullptr) return -1;
  *to = {};
  to->f_bsize = to->f_frsize = block;
  to->f_blocks = options_.capacity / block;
  to->f_bfree = to->f_bavail = (options_.capacity - std::min(used(), options_.capacity)) / block;
  to->f_files = to->f_ffree = to->f_favail = 1 << 20;
  to->f_namemax = 255;
  return 0;
}

int memory_disk::access(const char* path, int) {
  if (refuses("access")) return -1;
  return find(AT_FDCWD, path, true) ? 0 : -1;
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
  const auto n = *name == '\0' ? base(directory, name) : find(directory, name, false);
  if (!n) return -1;
  if (!S_ISLNK(n->mode)) return fail(EINVAL);
  const auto length = std::min(size, n->data.size());
  std::memcpy(to, n->data.data(), length);
  return static_cast<ssize_t>(length);
}

ssize_t memory_disk::read(int fd, void* to, std::size_t size) {
  auto* const d = of(fd);
  if (d == nullptr) return -1;
  const auto n = pread(fd, to, size, *d->at);
  if (n > 0) *d->at += n;
  return n;
}

ssize_t memory_disk::pread(int fd, void* to, std::size_t size, off_t at) {
  if (refuses("pread")) return -1;
  auto* const d = of(fd);
  if (d == nullptr) return -1;
  if (S_ISDIR(d->of->mode)) return fail(EISDIR);
  const auto& data = d->of->data;
  if (at >= static_cast<off_t>(data.size())) return 0;
  const auto n = std::min(size, data.size() - static_cast<std::size_t>(at));
  std::memcpy(to, data.data() + at, n);
  return static_cast<ssize_t>(n);
}

ssize_t memory_disk::pwrite(int fd, const void* from, std::size_t size, off_t at) {
  if (refuses("pwrite")) return -1;
  auto* const d = of(fd);
  if (d == nullptr) return -1;
  if ((d->flags & O_ACCMODE) == O_RDONLY) return fail(EBADF);
  auto& data = d->of->data;
  const auto end = static_cast<std::size_t>(at) + size;
  if (end > data.size() && !has_room(end - data.size())) return fail(ENOSPC);
  if (end > data.size()) data.resize(end);
  std::memcpy(data.data() + at, from, size);
  touch(*d->of);
  return static_cast<ssize_t>(size);
}

int memory_disk::ftruncate(int fd, off_t size) {
  if (refuses("ftruncate")) return -1;
  auto* const d = of(fd);
  if (d == nullptr) return -1;
  const auto to = static_cast<std::size_t>(size);
  // A hole takes no room on a real disk; here it does, so that what is written into it later always fits.
  if (to > d->of->data.size() && !has_room(to - d->of->data.size())) return fail(ENOSPC);
  d->of->data.resize(to);
  touch(*d->of);
  return 0;
}

int memory_disk::fallocate(int fd, int mode, off_t at, off_t size) {
  if (refuses("fallocate")) return -1;
  if (of(fd) == nullptr) return -1;
  if (mode == FALLOC_FL_KEEP_SIZE) return has_room(static_cast<std::uint64_t>(size)) ? 0 : fail(ENOSPC);
  if (mode != 0) return fail(EOPNOTSUPP);
  auto& data = of(fd)->of->data;
  return at + size > static_cast<off_t>(data.size()) ? ftruncate(fd, at + size) : 0;
}

ssize_t memory_disk::copy_file_range(int from, off_t* from_at, int to, off_t* to_at, std::size_t size) {
  std::string bytes(size, '\0');
  const auto n = pread(from, bytes.data(), size, *from_at);
  if (n <= 0) return n;
  const auto written = pwrite(to, bytes.data(), static_cast<std::size_t>(n), *to_at);
  if (written > 0) *from_at += written, *to_at += written;
  return written;
}

off_t memory_disk::lseek(int fd, off_t at, int whence) {
  if (refuses("lseek")) return -1;
  auto* const d = of(fd);
  if (d == nullptr) return -1;
  const auto size = static_cast<off_t>(d->of->data.size());
  switch (whence) {
    case SEEK_SET:
      return *d->at = at;
    case SEEK_CUR:
      return *d->at += at;
    case SEEK_END:
      return *d->at = size + at;
    case SEEK_DATA:
      return at >= size ? fail(ENXIO) : at;
    case SEEK_HOLE:
      return at >= size ? fail(ENXIO) : size;
    default:
      return fail(EINVAL);
  }
}

int memory_disk::posix_fadvise(int, off_t, off_t, int) { return 0; }

void memory_disk::sync_names() {
  for (const auto& c : journal_)
    for (const auto& e : c) {
      auto& names = e.directory->synced_names;
      e.to ? void(names[e.name] = e.to) : void(names.erase(e.name));
    }
  journal_.clear();
}

void memory_disk::sync_all() {
  sync_names();
  for (const auto& w : nodes_)
    if (const auto n = w.lock()) n->synced = n->data;
}

int memory_disk::fsync(int fd) {
  if (refuses("fsync")) return -1;
  auto* const d = of(fd);
  if (d == nullptr) return -1;
  d->of->synced = d->of->data;
  if (!options_.weak) return sync_names(), 0;
  if (!S_ISDIR(d->of->mode)) return 0;
  // This directory's names alone, each with its part of a rename elsewhere.
  d->of->synced_names = d->of->names;
  for (auto& c : journal_) std::erase_if(c, [&](const edit& e) { return e.directory == d->of; });
  std::erase_if(journal_, [](const change& c) { return c.empty(); });
  return 0;
}

int memory_disk::fdatasync(int fd) { return fsync(fd); }

int memory_disk::syncfs(int fd) {
  if (refuses("syncfs")) return -1;
  if (of(fd) == nullptr) return -1;
  sync_all();
  return 0;
}

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

int memory_disk::mkdir(const char* path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

int memory_disk::mkdirat(int directory, const char* path, mode_t mode) {
  if (refuses("mkdirat")) return -1;
  std::string name;
  auto from = base(directory, path);
  const auto parent = from ? walk(std::move(from), path, false, false, &name) : nullptr;
  if (!parent) return -1;
  if (!S_ISDIR(parent->mode)) return fail(ENOTDIR);
  if (parent->names.contains(name)) return fail(EEXIST);
  if (name.size() > 255) return fail(ENAMETOOLONG);
  if (!has_room(block)) return fail(ENOSPC);
  apply({{parent, name, make(S_IFDIR | (mode & 07777))}});
  return 0;
}

int memory_disk::symlinkat(const char* target, int directory, const char* path) {
  if (refuses("symlinkat")) return -1;
  std::string name;
  auto from = base(directory, path);
  const auto parent = from ? walk(std::move(from), path, false, false, &name) : nullptr;
  if (!parent) return -1;
  if (parent->names.contains(name)) return fail(EEXIST);
  if (!has_room(block)) return fail(ENOSPC);
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
  auto begin = base(to, new_name);
  const auto parent = begin ? walk(std::move(begin), new_name, false, false, &name) : nullptr;
  if (!parent) return -1;
  if (parent->names.contains(name)) return fail(EEXIST);
  if (S_ISDIR(n->mode)) return fail(EPERM);
  apply({{parent, name, n}});
  return 0;
}

int memory_disk::unlinkat(int directory, const char* path, int flags) {
  if (refuses("unlinkat")) return -1;
  std::string name;
  auto from = base(directory, path);
  const auto parent = from ? walk(std::move(from), path, false, false, &name) : nullptr;
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

bool memory_disk::is_at_or_below(const node_pointer& n, const node_pointer& top) {
  if (n == top) return true;
  for (const auto& [name, child] : top->names)
    if (S_ISDIR(child->mode) && is_at_or_below(n, child)) return true;
  return false;
}

int memory_disk::renameat2(int from, const char* old_path, int to, const char* new_path, unsigned flags) {
  if (refuses("renameat2")) return -1;
  std::string old_name, new_name;
  auto old_base = base(from, old_path), new_base = base(to, new_path);
  const auto old_parent = old_base ? walk(std::move(old_base), old_path, false, false, &old_name) : nullptr;
  const auto new_parent = new_base ? walk(std::move(new_base), new_path, false, false, &new_name) : nullptr;
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

int memory_disk::chmod(const char* path, mode_t mode) {
  if (refuses("chmod")) return -1;
  const auto n = find(AT_FDCWD, path, true);
  if (!n) return -1;
  n->mode = (n->mode & S_IFMT) | (mode & 07777), n->ctime = now();
  return 0;
}

int memory_disk::fchmod(int fd, mode_t mode) {
  if (refuses("fchmod")) return -1;
  auto* const d = of(fd);
  if (d == nullptr) return -1;
  d->of->mode = (d->of->mode & S_IFMT) | (mode & 07777), d->of->ctime = now();
  return 0;
}

int memory_disk::fchown(int fd, uid_t uid, gid_t gid) {
  if (refuses("fchown")) return -1;
  auto* const d = of(fd);
  if (d == nullptr) return -1;
  if (uid != static_cast<uid_t>(-1)) d->of->uid = uid;
  if (gid != static_cast<gid_t>(-1)) d->of->gid = gid;
  d->of->ctime = now();
  return 0;
}

int memory_disk::fchownat(int directory, const char* name, uid_t uid, gid_t gid, int) {
  if (refuses("fchownat")) return -1;
  const auto n = *name == '\0' ? base(directory, name) : find(directory, name, false);
  if (!n) return -1;
  if (uid != static_cast<uid_t>(-1)) n->uid = uid;
  if (gid != static_cast<gid_t>(-1)) n->gid = gid;
  n->ctime = now();
  return 0;
}

int memory_disk::set_times(node& n, const struct timespec* times) {
  const timespec present = now();
  const timespec wanted = times == nullptr ? present : times[1];
  if (wanted.tv_nsec != UTIME_OMIT) n.mtime = wanted.tv_nsec == UTIME_NOW ? present : wanted;
  n.ctime = present;
  return 0;
}

int memory_disk::futimens(int fd, const struct timespec* times) {
  if (refuses("futimens")) return -1;
  auto* const d = of(fd);
  return d == nullptr ? -1 : set_times(*d->of, times);
}

int memory_disk::utimensat(int directory, const char* name, const struct timespec* times, int) {
  if (refuses("utimensat")) return -1;
  const auto n = *name == '\0' ? base(directory, name) : find(directory, name, false);
  return n ? set_times(*n, times) : -1;
}

void memory_disk::close_all() {
  descriptors_.clear();
  for (const auto& w : nodes_)
    if (const auto n = w.lock()) n->locked_by = nullptr;
}

void memory_disk::cut_power(std::mt19937_64& random) {
  close_all();
  if (options_.weak) {
    std::erase_if(journal_, [&](const change&) { return random() % 2 == 0; });
  } else {
    journal_.resize(random() % (journal_.size() + 1));
  }
  sync_names();
  // All nodes that are reached from the root survive, as they were synced.
  std::vector<node_pointer> all{root_};
  for (std::size_t i = 0; i < all.size(); ++i) {
    node& n = *all[i];
    n.links = i == 0 ? 1 : 0;
    for (const auto& [name, child] : n.synced_names)
      if (std::find(all.begin(), all.end(), child) == all.end()) all.push_back(child);
  }
  for (const auto& n : all) {
    if (n->data != n->synced) {
      const auto choice = random() % 3;
      if (choice == 0) n->data = n->synced;
      if (choice == 1) {  // the size is there, and not the bytes
        const auto known = std::min(n->synced.size(), n->data.size());
        n->data = n->synced.substr(0, known) + std::string(n->data.size() - known, '\0');
      }
    }
    n->synced = n->data;
    n->names = n->synced_names;
  }
  for (const auto& n : all)
    for (const auto& [name, child] : n->names) ++child->links;
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
