#include "tests/simulation/disk_vfs.hpp"

#include <sqlite3.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "index/base/clock.hpp"
#include "index/base/disk.hpp"
#include "index/base/thread.hpp"

namespace ferryfs::test {
namespace {

// A file of SQLite's that several connections have open: who locks what of it, and the WAL's index.
struct shared_file {
  int readers = 0;  // that hold SHARED or more
  const void *reserved = nullptr, *pending = nullptr, *exclusive = nullptr;
  std::vector<std::unique_ptr<std::byte[]>> regions;
  std::array<int, SQLITE_SHM_NLOCK> holders{};  // of each lock of the WAL's index; -1: one alone
  int maps = 0;                                 // connections that use the regions
};

// By inode. Of this one process.
std::map<ino_t, std::shared_ptr<shared_file>> shared_files;
int random_bytes_given = 0;

struct open_file {
  sqlite3_file base;  // first: SQLite knows this alone
  int fd;
  int level;               // of its lock
  bool syncs_directory;    // a name that was made with it is not durable yet
  bool maps;               // uses the regions
  unsigned shared, alone;  // its locks of the WAL's index, a bit each
  shared_file* of;
  std::shared_ptr<shared_file>* kept;
  std::string* path;
};

open_file& of(sqlite3_file* f) { return *reinterpret_cast<open_file*>(f); }

int fail_with(int code) { return errno == ENOSPC ? SQLITE_FULL : code; }

std::string directory_of(const std::string& path) { return path.substr(0, path.rfind('/') + 1); }

bool sync_directory(const std::string& path) {
  const int fd = disk().open(directory_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool synced = disk().fsync(fd) == 0;
  disk().close(fd);
  return synced;
}

int unlock(sqlite3_file* f, int level) {
  auto& file = of(f);
  shared_file& s = *file.of;
  if (file.level <= level) return SQLITE_OK;
  for (const void** mine : {&s.reserved, &s.pending, &s.exclusive})
    if (*mine == &file) *mine = nullptr;
  if (file.level >= SQLITE_LOCK_SHARED && level < SQLITE_LOCK_SHARED) --s.readers;
  file.level = level;
  return SQLITE_OK;
}

int unmap(sqlite3_file* f, int) {
  auto& file = of(f);
  if (!file.maps) return SQLITE_OK;
  for (int i = 0; i < SQLITE_SHM_NLOCK; ++i) {
    auto& holders = file.of->holders[static_cast<std::size_t>(i)];
    if ((file.shared >> i & 1) != 0) --holders;
    if ((file.alone >> i & 1) != 0) holders = 0;
  }
  file.shared = file.alone = 0, file.maps = false;
  if (--file.of->maps == 0) file.of->regions.clear();
  return SQLITE_OK;
}

int close(sqlite3_file* f) {
  auto& file = of(f);
  unmap(f, 0);
  unlock(f, SQLITE_LOCK_NONE);
  disk().close(file.fd);
  delete file.kept;
  delete file.path;
  return SQLITE_OK;
}

int read(sqlite3_file* f, void* to, int size, sqlite3_int64 at) {
  const auto n = disk().pread(of(f).fd, to, static_cast<std::size_t>(size), at);
  if (n < 0) return SQLITE_IOERR_READ;
  if (n == size) return SQLITE_OK;
  std::memset(static_cast<char*>(to) + n, 0, static_cast<std::size_t>(size - n));
  return SQLITE_IOERR_SHORT_READ;
}

int write(sqlite3_file* f, const void* from, int size, sqlite3_int64 at) {
  const auto n = disk().pwrite(of(f).fd, from, static_cast<std::size_t>(size), at);
  return n == size ? SQLITE_OK : n < 0 ? fail_with(SQLITE_IOERR_WRITE) : SQLITE_FULL;
}

int truncate(sqlite3_file* f, sqlite3_int64 size) {
  return disk().ftruncate(of(f).fd, size) == 0 ? SQLITE_OK : SQLITE_IOERR_TRUNCATE;
}

// As SQLite's own VFS does: the first sync of a file that was made is one of its name as well.
int sync(sqlite3_file* f, int) {
  auto& file = of(f);
  if (disk().fdatasync(file.fd) != 0) return fail_with(SQLITE_IOERR_FSYNC);
  if (file.syncs_directory && !sync_directory(*file.path)) return SQLITE_IOERR_DIR_FSYNC;
  file.syncs_directory = false;
  return SQLITE_OK;
}

int size_of(sqlite3_file* f, sqlite3_int64* size) {
  struct stat st {};
  if (disk().fstat(of(f).fd, &st) != 0) return SQLITE_IOERR_FSTAT;
  *size = st.st_size;
  return SQLITE_OK;
}

int lock(sqlite3_file* f, int level) {
  auto& file = of(f);
  shared_file& s = *file.of;
  const auto is_another = [&](const void* holder) { return holder != nullptr && holder != &file; };
  if (file.level >= level) return SQLITE_OK;
  if (is_another(s.exclusive)) return SQLITE_BUSY;
  if (level == SQLITE_LOCK_SHARED) {
    if (is_another(s.pending)) return SQLITE_BUSY;
    ++s.readers, file.level = SQLITE_LOCK_SHARED;
    return SQLITE_OK;
  }
  if (level == SQLITE_LOCK_RESERVED) {
    if (is_another(s.reserved) || is_another(s.pending)) return SQLITE_BUSY;
    s.reserved = &file, file.level = SQLITE_LOCK_RESERVED;
    return SQLITE_OK;
  }
  if (is_another(s.reserved) || is_another(s.pending)) return SQLITE_BUSY;
  s.pending = &file, file.level = SQLITE_LOCK_PENDING;
  if (s.readers > 1) return SQLITE_BUSY;
  s.exclusive = &file, file.level = SQLITE_LOCK_EXCLUSIVE;
  return SQLITE_OK;
}

int check_reserved(sqlite3_file* f, int* taken) {
  *taken = of(f).of->reserved != nullptr;
  return SQLITE_OK;
}

int control(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
int sector_size(sqlite3_file*) { return 4096; }
int characteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

int map(sqlite3_file* f, int region, int size, int extend, void volatile** to) {
  auto& file = of(f);
  auto& all = file.of->regions;
  if (!file.maps) file.maps = true, ++file.of->maps;
  *to = nullptr;
  const auto wanted = static_cast<std::size_t>(region) + 1;
  if (all.size() < wanted && extend == 0) return SQLITE_OK;
  while (all.size() < wanted) all.push_back(std::make_unique<std::byte[]>(static_cast<std::size_t>(size)));
  *to = all[wanted - 1].get();
  return SQLITE_OK;
}

int lock_map(sqlite3_file* f, int first, int count, int flags) {
  auto& file = of(f);
  const unsigned mask = ((1U << count) - 1U) << first;
  const auto each = [&](auto&& call) {
    for (int i = first; i < first + count; ++i) call(file.of->holders[static_cast<std::size_t>(i)]);
  };
  if ((flags & SQLITE_SHM_UNLOCK) != 0) {
    if ((file.alone & mask) != 0) each([](int& h) { h = 0; });
    if ((file.shared & mask) != 0) each([](int& h) { --h; });
    file.alone &= ~mask, file.shared &= ~mask;
    return SQLITE_OK;
  }
  bool busy = false;
  if ((flags & SQLITE_SHM_SHARED) != 0) {
    if ((file.shared & mask) != 0) return SQLITE_OK;
    each([&](int& h) { busy = busy || h < 0; });
    if (busy) return SQLITE_BUSY;
    each([](int& h) { ++h; });
    file.shared |= mask;
    return SQLITE_OK;
  }
  if ((file.alone & mask) == mask) return SQLITE_OK;
  each([&](int& h) { busy = busy || h != 0; });
  if (busy) return SQLITE_BUSY;
  each([](int& h) { h = -1; });
  file.alone |= mask;
  return SQLITE_OK;
}

void barrier(sqlite3_file*) {}

constexpr sqlite3_io_methods methods{
    2,           close,           read, write,    truncate, sync,  size_of, lock,   unlock, check_reserved, control,
    sector_size, characteristics, map,  lock_map, barrier,  unmap, nullptr, nullptr};

int open(sqlite3_vfs*, const char* name, sqlite3_file* f, int flags, int* out) {
  f->pMethods = nullptr;
  if (name == nullptr) return SQLITE_CANTOPEN;  // a temporary file: the program keeps those in memory
  const bool makes = (flags & SQLITE_OPEN_CREATE) != 0;
  const int how = ((flags & SQLITE_OPEN_READWRITE) != 0 ? O_RDWR : O_RDONLY) | (makes ? O_CREAT : 0) |
                  ((flags & SQLITE_OPEN_EXCLUSIVE) != 0 ? O_EXCL : 0) | O_CLOEXEC | O_NOFOLLOW;
  const int fd = disk().open(name, how, 0644);
  struct stat st {};
  if (fd < 0 || disk().fstat(fd, &st) != 0) return SQLITE_CANTOPEN;
  constexpr int logs = SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL | SQLITE_OPEN_SUPER_JOURNAL;
  auto& shared = shared_files[st.st_ino];
  if (!shared) shared = std::make_shared<shared_file>();
  auto* const kept = new std::shared_ptr<shared_file>(shared);
  new (&of(f)) open_file{{&methods},  fd,   SQLITE_LOCK_NONE,     makes && (flags & logs) != 0, false, 0, 0,
                         kept->get(), kept, new std::string(name)};
  if (out != nullptr) *out = flags;
  return SQLITE_OK;
}

int remove(sqlite3_vfs*, const char* name, int sync_it) {
  if (disk().unlinkat(AT_FDCWD, name, 0) != 0) return errno == ENOENT ? SQLITE_IOERR_DELETE_NOENT : SQLITE_IOERR_DELETE;
  return sync_it == 0 || sync_directory(name) ? SQLITE_OK : SQLITE_IOERR_DIR_FSYNC;
}

// As SQLite's own VFS: an empty file is none.
int access(sqlite3_vfs*, const char* name, int what, int* result) {
  struct stat st {};
  *result = what == SQLITE_ACCESS_EXISTS ? disk().lstat(name, &st) == 0 && (!S_ISREG(st.st_mode) || st.st_size > 0)
                                         : disk().access(name, R_OK | W_OK) == 0;
  return SQLITE_OK;
}

int full_path(sqlite3_vfs*, const char* name, int capacity, char* out) {
  if (std::strlen(name) >= static_cast<std::size_t>(capacity)) return SQLITE_CANTOPEN;
  std::strcpy(out, name);
  return SQLITE_OK;
}

int fill_randomly(sqlite3_vfs*, int size, char* to) {
  for (int i = 0; i < size; ++i) to[i] = static_cast<char>(++random_bytes_given * 37 + 11);
  return size;
}

int wait(sqlite3_vfs*, int microseconds) {
  sleep_for(std::chrono::microseconds(microseconds));
  return microseconds;
}

int time_in_ms(sqlite3_vfs*, sqlite3_int64* now) {
  constexpr sqlite3_int64 ms_before_1970 = 210866760000000;  // since noon of 24 November 4714 BC
  *now = ms_before_1970 + wall_nanoseconds() / 1'000'000;
  return SQLITE_OK;
}

int time_in_days(sqlite3_vfs* v, double* now) {
  sqlite3_int64 ms = 0;
  time_in_ms(v, &ms);
  *now = static_cast<double>(ms) / 86'400'000.0;
  return SQLITE_OK;
}

int last_error(sqlite3_vfs*, int, char*) { return errno; }

sqlite3_vfs make_vfs(const char* name) {
  sqlite3_vfs v{};
  v.iVersion = 2, v.szOsFile = sizeof(open_file), v.mxPathname = 4096, v.zName = name;
  v.xOpen = open, v.xDelete = remove, v.xAccess = access, v.xFullPathname = full_path;
  v.xRandomness = fill_randomly, v.xSleep = wait, v.xCurrentTime = time_in_days, v.xGetLastError = last_error;
  v.xCurrentTimeInt64 = time_in_ms;
  return v;
}

}  // namespace

void install_disk_vfs() {
  static bool installed = false;
  if (std::exchange(installed, true)) return;
  static sqlite3_vfs together = make_vfs("unix"), alone = make_vfs("unix-excl");
  // One thread runs all; SQLite's own mutexes would know no fibers.
  sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
  sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  sqlite3_initialize();
  for (const char* name : {"unix", "unix-excl"}) sqlite3_vfs_unregister(sqlite3_vfs_find(name));
  sqlite3_vfs_register(&alone, 0);
  sqlite3_vfs_register(&together, 1);
}

void reset_disk_vfs() {
  shared_files.clear();
  random_bytes_given = 0;
  sqlite3_randomness(0, nullptr);
}

}  // namespace ferryfs::test
