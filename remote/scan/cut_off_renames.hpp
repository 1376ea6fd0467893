// Renames and removals that a crash cut off between the disk and the index.
#pragma once

#include <sys/stat.h>

#include <cstdint>

#include "index/writer.hpp"
#include "remote/destination.hpp"

namespace ferryfs::remote {

// What tells a file that is to be removed from one that gets its name, and its number, later: its number and its ctime.
std::uint64_t identity_of(const struct stat& st) noexcept;

// Enters each in the index if the disk has done it, and forgets it otherwise; a removal is
// finished. Before anything else looks at the names.
void settle_renames(const destination& where, index::writer& to);

}  // namespace ferryfs::remote
