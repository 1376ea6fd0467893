#include "tests/index/db/index_vfs.hpp"

#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <sstream>
#include <utility>
#include <vector>

#include "index/base/disk.hpp"

namespace ferryfs::test {
namespace {

struct plan {
  index_call kind;
  unsigned left;
  int code;
  bool all;
};

// State that the wrapped calls share: SQLite gives them no pointer of ours.
std::mutex mutex;
std::optional<plan> planned;
bool is_active = false, failed = false, is_cut = false;
std::set<std::string> removed;                             // by path; not synced yet
std::map<std::string, std::optional<std::string>> synced;  // by path; nothing: the file did not exist

int fault(index_call kind) {
  const std::lock_guard lock{mutex};
  if (!planned || planned->kind != kind || planned->left == 0) return SQLITE_OK;
  if (--planned->left > 0) return SQLITE_OK;
  if (planned->all) planned->left = 1;
  failed = true;
  return planned->code;
}

std::optional<std::string> content_of(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  if (!in) return std::nullopt;
  return std::string{std::istreambuf_iterator<char>{in}, {}};
}

// The file's bytes of now survive a power cut, and so do the removals before: a journal of the file system keeps
// their order.
void note_synced(const std::string& path) {
  const std::lock_guard lock{mutex};
  if (!is_active || is_cut) return;
  for (const auto& gone : removed) synced[gone] = std::nullopt;
  removed.clear();
  synced[path] = content_of(path);
}

struct open_file {
  std::string path;
  const sqlite3_io_methods* original;
};
std::map<sqlite3_file*, open_file> files;

open_file of(sqlite3_file* f) {
  const std::lock_guard lock{mutex};
  return files.at(f);
}

int write(sqlite3_file* f, const void* bytes, int size, sqlite3_int64 at) {
  if (const int code = fault(index_call::write); code != SQLITE_OK) return code;
  return of(f).original->xWrite(f, bytes, size, at);
}

int sync(sqlite3_file* f, int flags) {
  if (const int code = fault(index_call::sync); code != SQLITE_OK) return code;
  const auto file = of(f);
  const int code = file.original->xSync(f, flags);
  if (code == SQLITE_OK) note_synced(file.path);
  return code;
}

int close(sqlite3_file* f) {
  const auto file = of(f);
  f->pMethods = file.original;
  {
    const std::lock_guard lock{mutex};
    files.erase(f);
  }
  return file.original->xClose(f);
}

const sqlite3_io_methods* wrap(const sqlite3_io_methods* original) {
  static std::map<const sqlite3_io_methods*, sqlite3_io_methods> all;
  const std::lock_guard lock{mutex};
  const auto [at, is_new] = all.try_emplace(original, *original);
  if (is_new) at->second.xWrite = write, at->second.xSync = sync, at->second.xClose = close;
  return &at->second;
}

int open_by(sqlite3_vfs* original, const char* name, sqlite3_file* file, int flags, int* out) {
  if (const int code = fault(index_call::open); code != SQLITE_OK) return file->pMethods = nullptr, code;
  const std::string path = name != nullptr ? name : "";
  if (!path.empty()) {
    const std::lock_guard lock{mutex};
    removed.erase(path);
    if (is_active) synced.try_emplace(path, content_of(path));  // what it holds at first is taken for durable
  }
  const int code = original->xOpen(original, name, file, flags, out);
  if (code != SQLITE_OK || file->pMethods == nullptr) return code;
  const auto* const methods = file->pMethods;
  file->pMethods = wrap(methods);
  const std::lock_guard lock{mutex};
  files.insert_or_assign(file, open_file{path, methods});
  return code;
}

int remove_file(sqlite3_vfs* original, const char* name, int sync_directory) {
  const int code = original->xDelete(original, name, sync_directory);
  const std::lock_guard lock{mutex};
  if (code == SQLITE_OK && is_active && !is_cut) removed.insert(name);
  return code;
}

// The program syncs SQLite's log by itself (index/db/log_sync.hpp).
class log_syncs final : public disk_calls {
 public:
  int fdatasync(int fd) override {
    if (const int code = fault(index_call::sync); code != SQLITE_OK) return errno = EIO, -1;
    const int result = disk_calls::fdatasync(fd);
    char path[4096];
    const auto n = ::readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), path, sizeof path);
    if (result == 0 && n > 0) note_synced(std::string(path, static_cast<std::size_t>(n)));
    return result;
  }
};
log_syncs logs;

sqlite3_vfs *shared = nullptr, *alone = nullptr;  // SQLite's own
sqlite3_vfs shared_wrapper, alone_wrapper;

// Before any database is opened: the program copies these VFSs once.
const bool registered = [] {
  shared = sqlite3_vfs_find("unix"), alone = sqlite3_vfs_find("unix-excl");
  shared_wrapper = *shared, alone_wrapper = *alone;
  shared_wrapper.xOpen = [](sqlite3_vfs*, const char* n, sqlite3_file* f, int flags, int* out) {
    return open_by(shared, n, f, flags, out);
  };
  alone_wrapper.xOpen = [](sqlite3_vfs*, const char* n, sqlite3_file* f, int flags, int* out) {
    return open_by(alone, n, f, flags, out);
  };
  shared_wrapper.xDelete = [](sqlite3_vfs*, const char* n, int s) { return remove_file(shared, n, s); };
  alone_wrapper.xDelete = [](sqlite3_vfs*, const char* n, int s) { return remove_file(alone, n, s); };
  // Of the same names: whoever asks for them by name from now on gets these.
  sqlite3_vfs_unregister(shared), sqlite3_vfs_unregister(alone);
  sqlite3_vfs_register(&alone_wrapper, 0), sqlite3_vfs_register(&shared_wrapper, 1);
  return true;
}();

}  // namespace

index_vfs::index_vfs() {
  const std::lock_guard lock{mutex};
  planned.reset();
  synced.clear();
  removed.clear();
  is_active = true, is_cut = failed = false;
  disk_calls::install(&logs);
}

index_vfs::~index_vfs() {
  const std::lock_guard lock{mutex};
  planned.reset();
  is_active = false;
  disk_calls::install(nullptr);
}

void index_vfs::fail(index_call kind, unsigned n, int code, bool all) {
  const std::lock_guard lock{mutex};
  planned = plan{kind, n, code, all};
  failed = false;
}

void index_vfs::heal() {
  const std::lock_guard lock{mutex};
  planned.reset();
}

bool index_vfs::has_failed() const {
  const std::lock_guard lock{mutex};
  return failed;
}

void index_vfs::cut_power() {
  const std::lock_guard lock{mutex};
  is_cut = true;
}

void index_vfs::restore() {
  const std::lock_guard lock{mutex};
  for (const auto& [path, content] : synced) {
    if (!content) {
      std::remove(path.c_str());
      continue;
    }
    std::ofstream{path, std::ios::binary | std::ios::trunc} << *content;
  }
  is_cut = false;
}

}  // namespace ferryfs::test
