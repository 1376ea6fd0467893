#include "index/db/database.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cstring>

#include "index/base/disk.hpp"
#include "index/base/error.hpp"
#include "index/db/shared_memory.hpp"

namespace ferryfs::index {
namespace {

int verbatim_path(sqlite3_vfs*, const char* name, int capacity, char* out) {
  const std::size_t length = std::strlen(name);
  if (length >= static_cast<std::size_t>(capacity)) return SQLITE_CANTOPEN;
  std::memcpy(out, name, length + 1);
  return SQLITE_OK;
}

// The open call of unix-excl goes by the name of the VFS that it is given, and the copy has another: so it gets the
// original.
int open_alone(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out) {
  sqlite3_vfs* const original = sqlite3_vfs_find("unix-excl");
  return original->xOpen(original, name, file, flags, out);
}

// SQLite's own VFSs resolve symbolic links by name, which would lead /proc/self/fd/N into whatever is mounted over the
// destination: ourselves. These are the same but for that. (The files themselves are opened with O_NOFOLLOW by both.)
struct own_vfs {
  sqlite3_vfs shared, alone;

  own_vfs() {
    // Nobody asks how much memory SQLite takes, and counting it is a lock around each allocation.
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    shared = *sqlite3_vfs_find("unix"), shared.zName = "ferryfs";
    alone = *sqlite3_vfs_find("unix-excl"), alone.zName = "ferryfs-alone", alone.xOpen = open_alone;
    for (sqlite3_vfs* v : {&shared, &alone}) {
      v->xFullPathname = verbatim_path;
      sqlite3_vfs_register(v, 0);
    }
  }
};

}  // namespace

SQLite::Database open_database(const std::string& path, access mode) {
  static const own_vfs vfs;
  const bool shared = has_shared_memory(path);
  // A process that has the database alone locks it for writing, for which the file must be open for writing.
  const int access_flags = mode == access::read_write ? SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE
                           : shared                   ? SQLite::OPEN_READONLY
                                                      : SQLite::OPEN_READWRITE;
  try {
    SQLite::Database database{path, access_flags | SQLITE_OPEN_NOMUTEX, 5000, (shared ? vfs.shared : vfs.alone).zName};
    if (mode == access::read_only) database.exec("PRAGMA query_only = 1");
    // NORMAL: a power cut may lose the last transactions but never damages the file; what is lost is found again by
    // the scan of the destination.
    database.exec("PRAGMA synchronous = NORMAL; PRAGMA cache_size = -1024; PRAGMA temp_store = MEMORY;");
    database.exec("SELECT count(*) FROM sqlite_schema");
    return database;
  } catch (const SQLite::Exception& cause) {
    throw_index_error(path, cause);
  }
}

void reserve_log(const std::string& path) {
  constexpr off_t room = 4 << 20;  // bytes: what SQLite lets the log grow to before it writes it back to the index
  const int log = disk().open((path + "-wal").c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
  if (log < 0) return;
  // The size stays, so SQLite finds nothing there that it has not written.
  disk().fallocate(log, FALLOC_FL_KEEP_SIZE, 0, room);
  disk().close(log);
}

void throw_index_error(const std::string& path, const SQLite::Exception& cause) {
  switch (cause.getErrorCode()) {
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      throw error(exit_code::local, fmt::format("{}: the index is damaged ({}); move it away and run ferryfs again: it "
                                                "is rebuilt from both sides and the file of decisions",
                                                path, cause.what()));
    case SQLITE_FULL:
      throw error(exit_code::local, fmt::format("{}: no space left on the destination's disk; free some", path));
    case SQLITE_BUSY:
      throw error(
          exit_code::local,
          fmt::format("{}: the index is in use by another ferryfs; wait for it to end, or ask the mount", path));
    case SQLITE_CANTOPEN:
      throw error(exit_code::local,
                  fmt::format("{}: cannot open the index; check that it exists and its permissions", path));
    default:
      throw error(exit_code::local, fmt::format("{}: {}; check the disk and the permissions", path, cause.what()));
  }
}

}  // namespace ferryfs::index
