#include "remote/destination/destination.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <limits>
#include <thread>

#include "index/base/error.hpp"
#include "index/base/path.hpp"
#include "index/base/time.hpp"
#include "remote/destination/look_alike.hpp"
#include "remote/destination/private_directory.hpp"
#include "remote/files/list_directory.hpp"

namespace ferryfs::remote {
namespace {

[[noreturn]] void fail(const std::string& path, int problem, const char* remedy) {
  throw error(exit_code::local, fmt::format("{}: {}; {}", printable(path), std::strerror(problem), remedy));
}

std::string parent(const std::string& path) {
  const auto slash =
      path.find_last_not_of('/') == std::string::npos ? std::string::npos : path.rfind('/', path.find_last_not_of('/'));
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Errors but EEXIST end the program: nothing can be kept there.
void make_own(int at, const std::string& shown, const char* name) {
  if (::mkdirat(at, name, 0700) != 0 && errno != EEXIST)
    fail(shown + '/' + name, errno, "check the disk and its permissions");
}

// Waits a little: a mount that was just taken off has its index to close.
bool lock_within(int fd, std::chrono::milliseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return true;
}

// A file's maker asks for an owner or a mode: this user, or this file system, has none other.
bool is_not_to_be_had(int problem) { return problem == EPERM || problem == EOPNOTSUPP || problem == EINVAL; }

std::string holder(int lock) {
  char text[4200];
  const ssize_t n = ::pread(lock, text, sizeof text, 0);
  return n <= 0 ? "another process" : printable(std::string_view(text, static_cast<std::size_t>(n)));
}

}  // namespace

destination::destination(const std::string& path) : path_(path) {
  root_ = unique_fd{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!root_ && errno != ENOENT) fail(path, errno, "name a directory for the destination");
  const std::string needed = root_ ? path : parent(path);
  if (::access(needed.c_str(), W_OK | X_OK) != 0) fail(needed, errno, "the destination must be writable");
  struct statvfs where {};
  if (root_ && ::fstatvfs(root_.get(), &where) == 0 && (where.f_flag & ST_RDONLY) != 0)
    fail(path, EROFS, "the destination must be writable");
}

void destination::take(const std::string& mountpoint) {
  if (!root_) {
    if (::mkdir(path_.c_str(), 0755) != 0) fail(path_, errno, "check the destination's path");
    root_ = unique_fd{::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!root_) fail(path_, errno, "check the destination's path");
  }
  struct stat st {};
  ::fstat(root_.get(), &st);

  const std::string own = path_ + '/' + std::string(own_directory);
  make_own(root_.get(), path_, own_directory.data());
  home_ = open_private(root_.get(), path_);
  lock_ = unique_fd{::openat(home_.get(), "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644)};
  if (!lock_) fail(own + "/lock", errno, "check its permissions");
  if (!lock_within(lock_.get(), std::chrono::seconds(3)))
    throw error(exit_code::local, fmt::format("{}: the archive is in use ({}); umount it or wait for it to end",
                                              printable(path_), holder(lock_.get())));
  const std::string text = fmt::format("pid {}{}{}", ::getpid(), mountpoint.empty() ? "" : ", mounted at ", mountpoint);
  if (::ftruncate(lock_.get(), 0) != 0 || ::pwrite(lock_.get(), text.data(), text.size(), 0) < 0)
    fail(own + "/lock", errno, "free some space");

  make_own(home_.get(), own, "reports");
  reports_ = unique_fd{::openat(home_.get(), "reports", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)};
  if (!reports_) fail(own + "/reports", errno, "it must be a directory");
  partials_.open_in(home_, own);
  can_ = probe(partials_.directory());
  if (!can_.keeps_names)
    throw error(exit_code::local,
                fmt::format("{}: its file system stores names in another form than they are given to it, so that none "
                            "would be found again; take a destination on another one",
                            printable(path_)));
  try_modes();
  try_owner(st);
}

void destination::try_modes() {
  umask_ = ::umask(0);
  ::umask(umask_);
  struct stat st {};
  const unique_fd probe = partials_.create(0, 0777);
  modes_hold_ = probe && ::fstat(probe.get(), &st) == 0 && (st.st_mode & 07777) == (0777 & ~umask_);
  if (probe) try_times(probe.get());
  partials_.remove(0);
}

void destination::try_owner(const struct stat& root) {
  constexpr auto as_it_is = static_cast<std::uint32_t>(-1);
  uid_ = root.st_uid, gid_ = root.st_gid;
  ours_ = uid_ == ::geteuid() && gid_ == ::getegid();
  struct stat made {};
  struct stat st {};
  const unique_fd probe = partials_.create(0, 0600);
  if (!probe || ::fstat(probe.get(), &made) != 0) return;  // no room: nothing is fetched before there is some
  // Each by itself: a plain user can give his files to his own groups, and to nobody else.
  bool refused = ::fchown(probe.get(), root.st_uid, as_it_is) != 0;
  refused = ::fchown(probe.get(), as_it_is, root.st_gid) != 0 || refused;
  const bool seen = ::fstat(probe.get(), &st) == 0;
  partials_.remove(0);
  if (!seen) return;
  uid_ = st.st_uid, gid_ = st.st_gid;
  ours_ = uid_ == made.st_uid && gid_ == made.st_gid;
  can_.owners = uid_ == root.st_uid && gid_ == root.st_gid;
  if (can_.owners) return;
  other_owner_ =
      fmt::format("files get the owner and group {}:{}, as those of the directory, {}:{}, {}", uid_, gid_, root.st_uid,
                  root.st_gid, refused ? fmt::format("can't be given by user {}", ::geteuid()) : "are not kept there");
}

void destination::try_times(int file) {
  const auto kept = [file](std::int64_t seconds) {
    const timespec times[] = {{0, UTIME_OMIT}, {seconds, 0}};
    struct stat st {};
    return ::futimens(file, times) == 0 && ::fstat(file, &st) == 0 ? st.st_mtim.tv_sec : seconds;
  };
  const std::int64_t first = kept(first_second), last = kept(last_second);
  // What sets another time than one near the edge, as a server's 32 bits that wrap round, says nothing of its range.
  if (first < last) times_ = {std::max(first, first_second), std::min(last, last_second)};
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
  ::fstatvfs(root_.get(), &s);
  return s;
}

std::string destination::lacking() const {
  auto all = lacks(can_);
  if (!other_owner_.empty()) all.push_back(other_owner_);
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

std::optional<index::directory_entry> destination::look(const std::string& path, bool as_listed) const {
  const auto [directory, name] = open_parent(root_.get(), path);
  local_entry e;
  if (!directory || !look_at(directory.get(), name, e)) return std::nullopt;
  if (!as_listed && is_look_alike(directory.get(), name)) return std::nullopt;
  return remote::as_listed(e.name, e.attributes, e.target, uid_, gid_);
}

std::optional<std::string> destination::look_alike(const std::string& path) const {
  return can_.folds_names() ? look_alike_in(root_.get(), path) : std::nullopt;
}

bool destination::is_look_alike(int directory, const std::string& name) const {
  return can_.folds_names() && remote::look_alike(directory, name);
}

int destination::sync() const noexcept { return ::syncfs(root_.get()) == 0 ? 0 : errno; }

int destination::name_partial(inode ino, int directory, const std::string& name, bool replace) const noexcept {
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
  return ::fstat(directory, &st) == 0 && st.st_uid == ::geteuid() && (st.st_mode & 0700) != 0700 &&
         ::chmod(proc_path(directory).c_str(), (st.st_mode & 07777) | 0700) == 0;
}

int destination::make_directory(int parent, const std::string& name, const std::function<std::uint32_t()>& mode) const {
  const auto make = [&] { return ::mkdirat(parent, name.c_str(), 0700) == 0 ? 0 : errno; };
  int problem = make();
  if (problem == EACCES && let_in(parent)) problem = make();
  if (problem != 0) return problem;
  const unique_fd made{::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
  if (!made) return errno;
  if (const int refused = give_owner(made.get(), {}, {})) return refused;
  return give_mode(made.get(), mode() | 0700);
}

int destination::make_link(int parent, const std::string& name, const std::string& target,
                           std::int64_t mtime) const noexcept {
  const auto make = [&] { return ::symlinkat(target.c_str(), parent, name.c_str()) == 0 ? 0 : errno; };
  int problem = make();
  if (problem == EACCES && let_in(parent)) problem = make();
  if (problem != 0) return problem;
  const unique_fd made{::openat(parent, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC)};
  if (!made) return errno;
  if (const int refused = give_owner(made.get(), {}, {})) return refused;
  const timespec when{mtime, 0};
  const timespec times[] = {when, when};
  ::utimensat(parent, name.c_str(), times, AT_SYMLINK_NOFOLLOW);
  return 0;
}

int destination::give_owner(int file, std::optional<std::uint32_t> uid,
                            std::optional<std::uint32_t> gid) const noexcept {
  if (ours_ && !uid && !gid) return 0;
  const bool given = ::fchownat(file, "", uid.value_or(uid_), gid.value_or(gid_), AT_EMPTY_PATH) == 0;
  return given || is_not_to_be_had(errno) ? 0 : errno;
}

int destination::give_mode(int file, std::uint32_t mode) const noexcept {
  return ::fchmod(file, mode & 07777) == 0 || is_not_to_be_had(errno) ? 0 : errno;
}

std::uint64_t holes_of(const struct stat& st) {
  const auto full = (static_cast<std::uint64_t>(st.st_size) + 511) / 512,
             here = static_cast<std::uint64_t>(st.st_blocks);
  return S_ISREG(st.st_mode) && here < full ? full - here : 0;
}

index::directory_entry as_listed(const std::string& name, const struct stat& st, const std::string& target,
                                 std::uint32_t uid, std::uint32_t gid) {
  index::directory_entry l;
  l.name = name;
  l.attributes = {st.st_mode, static_cast<std::uint64_t>(st.st_size), to_ns(st.st_mtim), holes_of(st)};
  l.target = target;
  if (st.st_uid != uid) l.uid = st.st_uid;
  if (st.st_gid != gid) l.gid = st.st_gid;
  return l;
}

}  // namespace ferryfs::remote
