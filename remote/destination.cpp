#include "remote/destination.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <thread>

#include "index/error.hpp"
#include "index/path.hpp"
#include "index/time.hpp"
#include "remote/directory/listing.hpp"

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
void make_directory(int at, const std::string& shown, const char* name) {
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
  uid_ = st.st_uid, gid_ = st.st_gid;
  ours_ = uid_ == ::geteuid() && gid_ == ::getegid();

  const std::string own = path_ + '/' + std::string(own_directory);
  make_directory(root_.get(), path_, own_directory.data());
  const unique_fd home = open_beneath(root_.get(), std::string(own_directory), O_RDONLY | O_DIRECTORY);
  if (!home) fail(own, errno, "it must be an ordinary directory of ferryfs");
  lock_ = unique_fd{::openat(home.get(), "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644)};
  if (!lock_) fail(own + "/lock", errno, "check its permissions");
  if (!lock_within(lock_.get(), std::chrono::seconds(3)))
    throw error(exit_code::local, fmt::format("{}: the archive is in use ({}); umount it or wait for it to end",
                                              printable(path_), holder(lock_.get())));
  const std::string text = fmt::format("pid {}{}{}", ::getpid(), mountpoint.empty() ? "" : ", mounted at ", mountpoint);
  if (::ftruncate(lock_.get(), 0) != 0 || ::pwrite(lock_.get(), text.data(), text.size(), 0) < 0)
    fail(own + "/lock", errno, "free some space");

  for (const char* name : {"partial", "reports"}) make_directory(home.get(), own, name);
  const unique_fd partial{::openat(home.get(), "partial", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)};
  if (!partial) fail(own + "/partial", errno, "it must be a directory");
  for (std::size_t i = 0; i < partials_.size(); ++i) {
    const std::string name = std::to_string(i);
    make_directory(partial.get(), own + "/partial", name.c_str());
    auto& part = partials_[i];
    part = unique_fd{::openat(partial.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)};
    if (!part) fail(own + "/partial", errno, "it must be a directory");
    list_directory(part.get(), "", [&](local_entry&& e) { ::unlinkat(part.get(), e.name.c_str(), 0); });
  }
  try_modes();
}

void destination::try_modes() {
  umask_ = ::umask(0);
  ::umask(umask_);
  struct stat st {};
  const unique_fd probe = create_partial(0, 0777);
  modes_hold_ = probe && ::fstat(probe.get(), &st) == 0 && (st.st_mode & 07777) == (0777 & ~umask_);
  if (probe) try_times(probe.get());
  remove_partial(0);
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
  const unique_fd partial = open_beneath(root_.get(), fmt::format("{}/partial", own_directory), O_PATH | O_DIRECTORY);
  for (std::size_t i = 0; partial && i < partials_.size(); ++i)
    if (partials_[i]) ::unlinkat(partial.get(), std::to_string(i).c_str(), AT_REMOVEDIR);
}

std::string destination::index_path() const {
  return fmt::format("/proc/self/fd/{}/{}/index.db", root_.get(), own_directory);
}
std::string destination::log_path() const { return fmt::format("/proc/self/fd/{}/{}/log", root_.get(), own_directory); }
std::string destination::reports_path() const {
  return fmt::format("/proc/self/fd/{}/{}/reports", root_.get(), own_directory);
}

struct statvfs destination::space() const {
  struct statvfs s {};
  ::fstatvfs(root_.get(), &s);
  return s;
}

std::uint64_t destination::free_bytes() const {
  const auto s = space();
  return static_cast<std::uint64_t>(s.f_bavail) * s.f_frsize;
}

std::uint64_t destination::capacity() const {
  const auto s = space();
  return static_cast<std::uint64_t>(s.f_blocks) * s.f_frsize;
}

unique_fd destination::create_partial(inode ino, std::uint32_t mode) const noexcept {
  return unique_fd{::openat(partial_of(ino), std::to_string(ino).c_str(),
                            O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode & 0777)};
}

unique_fd destination::open_partial(inode ino) const noexcept {
  return unique_fd{::openat(partial_of(ino), std::to_string(ino).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
}

void destination::remove_partial(inode ino) const noexcept {
  ::unlinkat(partial_of(ino), std::to_string(ino).c_str(), 0);
}

std::optional<index::listed> destination::look(const std::string& path) const {
  const auto [directory, name] = open_parent(root_.get(), path);
  local_entry e;
  if (!directory || !look_at(directory.get(), name, e)) return std::nullopt;
  return as_listed(e.name, e.attributes, e.target, uid_, gid_);
}

int destination::sync() const noexcept { return ::syncfs(root_.get()) == 0 ? 0 : errno; }

int destination::name_partial(inode ino, int directory, const std::string& name, bool replace) const noexcept {
  const unsigned flags = replace ? 0U : RENAME_NOREPLACE;
  return ::renameat2(partial_of(ino), std::to_string(ino).c_str(), directory, name.c_str(), flags) == 0 ? 0 : errno;
}

namespace {

std::uint64_t holes_of(const struct stat& st) {
  const auto full = (static_cast<std::uint64_t>(st.st_size) + 511) / 512,
             here = static_cast<std::uint64_t>(st.st_blocks);
  return S_ISREG(st.st_mode) && here < full ? full - here : 0;
}

}  // namespace

index::listed as_listed(const std::string& name, const struct stat& st, const std::string& target, std::uint32_t uid,
                        std::uint32_t gid) {
  index::listed l;
  l.name = name;
  l.attributes = {st.st_mode, static_cast<std::uint64_t>(st.st_size), to_ns(st.st_mtim), holes_of(st)};
  l.target = target;
  if (st.st_uid != uid) l.uid = st.st_uid;
  if (st.st_gid != gid) l.gid = st.st_gid;
  return l;
}

}  // namespace ferryfs::remote
