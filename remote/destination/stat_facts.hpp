// A file of the destination as stat(2) shows it, in the index's terms. Pure.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>

#include "index/update/merge.hpp"

namespace ferryfs::remote {

// As file_facts::holes.
std::uint64_t holes_of(const struct stat& st);

file_facts facts_of_stat(const struct stat& st);

// Owners are kept where they are not `uid`, `gid`. `target`: of a symbolic link.
index::directory_entry entry_of_stat(const std::string& name, const struct stat& st, const std::string& target,
                                     std::uint32_t uid, std::uint32_t gid);

}  // namespace ferryfs::remote
