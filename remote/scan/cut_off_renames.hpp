// Renames and removals that a crash cut off between the disk and the index, or a power cut took from one of them.
#pragma once

#include <cstdint>

#include "index/writer.hpp"
#include "remote/destination.hpp"

namespace ferryfs::remote {

// What tells a file from another that gets its name, and its number, later: its number and when it was made (its ctime,
// where the file system does not keep that). Of a directory the number alone: none is removed with anything in it. 0:
// nothing stands there.
std::uint64_t identity_of(int directory, const char* name) noexcept;

// Enters each in the index if the disk has done it, and forgets it otherwise; a removal is finished. Those that the
// index had as done are made again where the disk has lost them. Before anything else looks at the names.
void settle_renames(const destination& where, index::writer& to);

}  // namespace ferryfs::remote
