// Directories of the archive that are not in the destination yet, made for what is to come into them.
#pragma once

#include <cerrno>
#include <optional>
#include <string>
#include <vector>

#include "index/db/reader.hpp"
#include "index/db/transaction.hpp"
#include "remote/destination/destination.hpp"

namespace ferryfs::remote {

// An errno of our own: another name that the file system takes for the same stands there.
inline constexpr int look_alike_there = ENOTUNIQ;

// Makes `path` and what is missing above it, below `where`; appends to `made` each directory that was made. Each has
// the mode that `rows` knows, and lets its owner in as long as it fills. 0 or errno.
int make_directories(const destination& where, index::reader& rows, const std::string& path,
                     std::vector<std::string>& made);

// Enters the directories that were made in the index.
void record_directories(index::transaction& t, const std::vector<std::string>& made);

// Why nothing can be made at `path`, where another name that the file system takes for the same stands in the way.
std::optional<std::string> look_alike_text(const destination& where, const std::string& path);

}  // namespace ferryfs::remote
