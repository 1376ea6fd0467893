// Opening the index file.
#pragma once

#include <SQLiteCpp/Database.h>

#include <string>

namespace ferryfs::index {

enum class access { read_only, read_write };

// Opens the index at `path` (made if absent and read_write) with the settings that every connection shares:
// synchronous=NORMAL, a small cache. The path is used as given, with no symbolic link in it resolved, so that
// /proc/self/fd/N/… reaches a directory that is mounted over. Throws ferryfs::error (local) naming the path where the
// file is damaged, not an index, or can't be opened. One thread uses a connection at a time.
SQLite::Database open_database(const std::string& path, access mode);

// Allocates room on the disk for the write-ahead log of the index at `path`, so that what was begun on a disk that is
// full by now, or what makes room on it, can be entered: a log within that room needs none of the free blocks. Where
// the file system can't, nothing is reserved.
void reserve_log(const std::string& path);

// Turns what SQLite says of the index at `path` into a ferryfs::error with a remedy, and throws it.
[[noreturn]] void throw_index_error(const std::string& path, const SQLite::Exception& cause);

}  // namespace ferryfs::index
