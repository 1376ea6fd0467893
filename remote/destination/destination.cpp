#include "remote/destination/destination.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <limits>

#include "index/base/disk.hpp"
#include "index/base/error.hpp"
#include "index/base/path.hpp"
#include "remote/destination/archive_lock.hpp"
#include "remote/destination/disk_error.hpp"
#include "remote/destination/look_alike.hpp"
#include "remote/destination/private_directory.hpp"
#include "remote/destination/stat_facts.hpp"
#include "remote/files/list_directory.hpp"

namespace ferryfs::remote {
namespace {

std::string parent_of(const std::string& path) {
  const auto slash =
      path.find_last_not_of('/') == std::string::npos ? std::string::npos : path.rfind('/', path.find_last_not_of('/'));
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Errors but EEXIST end the program: nothing can be kept there.
void make_own(int at, const std::string& shown, const char* name) {
  if (disk().mkdirat(at, name, 0700) != 0 && errno != EEXIST)
    throw_disk_error(shown + '/' + name, errno, "check the disk and its permissions");
}

}  // namespace

destination::destination(const std::string& path) : path_(path) {
  root_ = unique_fd{disk().open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!root_ && errno != ENOENT) throw_disk_error(path, errno, "name a directory for the destination");
  const std::string needed = root_ ? path : parent_of(path);
  if (disk().access(needed.c_str(), W_OK | X_OK) != 0)
    throw_disk_error(needed, errno, "the destination must be writable");
  struct statvfs where {};
  if (root_ && disk().fstatvfs(root_.get(), &where) == 0 && (where.f_flag & ST_RDONLY) != 0)
    throw_disk_error(path, EROFS, "the destination must be writable");
}

void destination::acquire(const std::string& mountpoint) {
  if (!root_) {
    if (disk().mkdir(path_.c_str(), 0755) != 0) throw_disk_error(path_, errno, "check the destination's path");
    root_ = unique_fd{disk().open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!root_) throw_disk_error(path_, errno, "check the destination's path");
  }
  struct stat st {};
  disk().fstat(root_.get(), &st);

  const std::string own = path_ + '/' + std::string(own_directory);
  make_own(root_.get(), path_, own_directory.data());
  home_ = open_private(root_.get(), path_);
  lock_ = lock_archive(home_, path_, mountpoint);
  make_own(home_.get(), own, "reports");
  reports_ = unique_fd{disk().openat(home_.get(), "reports", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)};
  if (!reports_) throw_disk_error(own + "/reports", errno, "it must be a directory");
  partials_.open_in(home_, own);
  can_ = probe(partials_.directory());
  if (!can_.keeps_names)
    throw error(exit_code::local, fmt::format("{}: its file system changes the names that it stores, so that none "
                                              "would be found again; choose a destination on another one",
                                              printable(path_)));
  new_files_.probe(partials_, st);
  can_.owners = new_files_.gives_owner();
}

destination::~destination() {
  if (home_) partials_.close_in(home_);
}

std::string destination::index_path() const { return proc_path(home_.get()) + "/index.db"; }
std::string destination::decisions_path() const { return proc_path(home_.get()) + "/decisions"; }
std::string destination::log_path() const { return proc_path(home_.get()) + "/log"; }
std::string destination::reports_path() const { return proc_path(reports_.get()); }

struct statvfs destination::space() const {
  struct statvfs s {};
  disk().fstatvfs(root_.get(), &s);
  return s;
}

std::string destination::lacking() const {
  auto all = lacks(can_);
  if (!new_files_.gives_owner()) all.push_back(new_files_.other_owner());
  return fmt::format("{}", fmt::join(all, "; "));
}

std::uint64_t destination::free_bytes() const {
  if (!can_.tells_space) return std::numeric_limits<std::int64_t>::max();
  const auto s = space();
  return static_cast<std::uint64_t>(s.f_bavail) * s.f_frsize;
}

std::uint64_t destination::capacity() const {
  const auto s = space();
  return static_cast<std::uint64_t>(s.f_blocks) * s.f_frsize;
}

std::optional<index::directory_entry> destination::look(const std::string& path, bool just_listed) const {
  const auto [directory, name] = open_parent(root_.get(), path);
  local_entry e;
  if (!directory || !look_at(directory.get(), name, e)) return std::nullopt;
  if (!just_listed && is_look_alike(directory.get(), name)) return std::nullopt;
  return remote::entry_of_stat(e.name, e.attributes, e.target, uid(), gid());
}

std::optional<std::string> destination::look_alike(const std::string& path) const {
  return can_.folds_names() ? look_alike_in(root_.get(), path) : std::nullopt;
}

bool destination::is_look_alike(int directory, const std::string& name) const {
  return can_.folds_names() && remote::look_alike(directory, name);
}

int destination::sync() const noexcept { return disk().syncfs(root_.get()) == 0 ? 0 : errno; }

int destination::rename_into_place(inode ino, int directory, const std::string& name, bool replace) const noexcept {
  const int problem = partials_.give_name(ino, directory, name, replace);
  return problem == EACCES && let_in(directory) ? partials_.give_name(ino, directory, name, replace) : problem;
}

int destination::carry_partial(inode ino, const unique_fd& directory) const noexcept {
  const int problem = partials_.carry(ino, directory);
  return problem == EACCES && let_in(directory.get()) ? partials_.carry(ino, directory) : problem;
}

// A directory that is finished may keep its own owner from adding to it; more of the source has come. False: it does
// not, or it can't be helped.
bool destination::let_in(int directory) const noexcept {
  struct stat st {};
  return disk().fstat(directory, &st) == 0 && st.st_uid == ::geteuid() && (st.st_mode & 0700) != 0700 &&
         disk().chmod(proc_path(directory).c_str(), (st.st_mode & 07777) | 0700) == 0;
}

int destination::make_directory(int parent, const std::string& name, const std::function<std::uint32_t()>& mode) const {
  const auto make = [&] { return disk().mkdirat(parent, name.c_str(), 0700) == 0 ? 0 : errno; };
  int problem = make();
  if (problem == EACCES && let_in(parent)) problem = make();
  if (problem != 0) return problem;
  const unique_fd made{disk().openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
  if (!made) return errno;
  if (const int refused = give_owner(made.get(), {}, {})) return refused;
  return give_mode(made.get(), mode() | 0700);
}

int destination::make_link(int parent, const std::string& name, const std::string& target,
                           std::int64_t mtime) const noexcept {
  const auto make = [&] { return disk().symlinkat(target.c_str(), parent, name.c_str()) == 0 ? 0 : errno; };
  int problem = make();
  if (problem == EACCES && let_in(parent)) problem = make();
  if (problem != 0) return problem;
  const unique_fd made{disk().openat(parent, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC)};
  if (!made) return errno;
  if (const int refused = give_owner(made.get(), {}, {})) return refused;
  const timespec when{mtime, 0};
  const timespec times[] = {when, when};
  disk().utimensat(parent, name.c_str(), times, AT_SYMLINK_NOFOLLOW);
  return 0;
}

}  // namespace ferryfs::remote
