#include "remote/destination/capabilities.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

#include "index/base/disk.hpp"
#include "remote/files/list_directory.hpp"
#include "remote/files/unique_fd.hpp"

namespace ferryfs::remote {
namespace {

constexpr const char *name = "probe", *other = "probe-2", *upper = "PROBE";
constexpr const char *composed = "probe-\xc3\xa4", *decomposed = "probe-a\xcc\x88";
constexpr std::array leftovers{name, other, upper, composed, decomposed};

bool is_there(int directory, const char* called) {
  struct stat st {};
  return disk().fstatat(directory, called, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

unique_fd make(int directory, const char* called) {
  return unique_fd{disk().openat(directory, called, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600)};
}

void clear(int directory) {
  for (const char* called : leftovers) disk().unlinkat(directory, called, 0);
}

// The errors that say "not here", and not "not now".
bool can(int result) {
  return result == 0 || (errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP && errno != EPERM &&
                         errno != ENODEV && errno != ENOTTY);
}

void probe_renames(int at, capabilities& c) {
  c.rename_no_replace = can(disk().renameat2(at, name, at, other, RENAME_NOREPLACE));
  if (!is_there(at, other)) disk().renameat(at, name, at, other);
  const unique_fd second = make(at, name);
  c.rename_exchange = !second || can(disk().renameat2(at, name, at, other, RENAME_EXCHANGE));
  disk().unlinkat(at, other, 0);
  c.hard_links = can(disk().linkat(at, name, at, other, 0));
  disk().unlinkat(at, other, 0);
  c.symbolic_links = can(disk().symlinkat("nowhere", at, other));
  disk().unlinkat(at, other, 0);
}

void probe_names(int at, capabilities& c) {
  c.keeps_case = !is_there(at, upper);
  const unique_fd file = make(at, composed);
  if (!file) return;  // not every file system takes such a name
  c.keeps_forms = !is_there(at, decomposed);
  bool listed = false;
  const int problem = list_directory(at, "", [&](local_entry&& e) { listed = listed || e.name == composed; });
  c.keeps_names = listed || problem != 0;
}

// Whether the file still shows the time after it was set.
bool keeps(int fd, std::int64_t seconds, std::int64_t nanoseconds) {
  const timespec when{seconds, nanoseconds};
  const timespec both[] = {when, when};
  struct stat st {};
  return disk().futimens(fd, both) == 0 && disk().fstat(fd, &st) == 0 && st.st_mtim.tv_sec == seconds &&
         st.st_mtim.tv_nsec == nanoseconds;
}

void probe_times(int fd, capabilities& c) {
  constexpr std::int64_t some_time = 1'000'000'001;
  constexpr std::array<std::int64_t, 6> early{-62'135'596'800, -11'644'473'600, -2'147'483'648, 0,
                                              315'532'800,     some_time};
  constexpr std::array<std::int64_t, 6> late{253'402'300'799, 16'299'260'424, 15'032'385'535,
                                             4'294'967'295,   2'147'483'647,  some_time};
  for (const auto t : early)
    if (keeps(fd, c.earliest = t, 0)) break;
  for (const auto t : late)
    if (keeps(fd, c.latest = t, 0)) break;
  for (const std::int64_t step : {1, 100, 1'000, 1'000'000, 10'000'000, 1'000'000'000, 2'000'000'000}) {
    c.time_step = step;
    if (step < 1'000'000'000 ? keeps(fd, some_time, 123'456'789 / step * step) : keeps(fd, some_time, 0)) break;
  }
}

void probe_attributes(int fd, capabilities& c) {
  struct stat st {};
  for (const mode_t mode : {0751U, 0600U})
    if (disk().fchmod(fd, mode) != 0 || disk().fstat(fd, &st) != 0 || (st.st_mode & 07777) != mode) c.modes = false;
  c.user_attributes = can(::fsetxattr(fd, "user.ferryfs-probe", "1", 1, 0));
}

void probe_memory(int fd, capabilities& c) {
  constexpr std::size_t size = 4096;
  if (disk().ftruncate(fd, size) != 0) return;
  void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  c.shared_memory = memory != MAP_FAILED;
  if (c.shared_memory) ::munmap(memory, size);
}

}  // namespace

capabilities probe(int directory) noexcept {
  capabilities c;
  struct statvfs space {};
  c.tells_space = disk().fstatvfs(directory, &space) != 0 || space.f_blocks > 0;
  clear(directory);
  if (const unique_fd file = make(directory, name)) {
    probe_attributes(file.get(), c);
    probe_memory(file.get(), c);
    probe_times(file.get(), c);
    probe_renames(directory, c);
    probe_names(directory, c);
  }
  clear(directory);
  return c;
}

std::vector<std::string> lacks(const capabilities& c) {
  std::vector<std::string> all;
  const auto say = [&](bool there, const char* what) {
    if (!there) all.emplace_back(what);
  };
  say(c.rename_no_replace, c.hard_links
                               ? "no renames without replacing (links do it)"
                               : "no renames without replacing, no hard links (ferryfs looks before a rename)");
  say(c.rename_exchange, "no exchange of two names");
  say(c.symbolic_links, "no symbolic links (those of the source fail)");
  say(c.keeps_case, "does not tell A from a (the second of two such names fails)");
  say(c.keeps_forms, "does not tell two forms of one letter apart (the second of two such names fails)");
  say(c.modes, "keeps no permissions");
  say(c.user_attributes, "no extended attributes");
  say(c.shared_memory, "no shared memory (status has to ask the running ferryfs)");
  say(c.tells_space, "does not tell its free space (--min-free means nothing)");
  say(c.time_step <= 1'000'000'000, "times in steps of two seconds");
  say(c.earliest <= 0 && c.latest >= 2'147'483'647, "a narrow range of times");
  return all;
}

}  // namespace ferryfs::remote
