// Renames and removals that a crash cut off between the disk and the index, or a power cut took from one of them.
#pragma once

#include <cstdint>

#include "index/db/writer.hpp"
#include "remote/destination/destination.hpp"

namespace ferryfs::remote {

enum class identity {
  exact,           // another file that gets its name, and its number, is another
  kept_by_rename,  // the same, where the file system knows when a file was made; else its number alone
};
// Identifies a file among others: its number and when it was made or, where the file system does not keep that, its
// ctime. 0: nothing stands there.
std::uint64_t identity_of(int directory, const char* name, identity how) noexcept;

// Enters each in the index if the disk has done it, and forgets it otherwise; a removal is finished. Those that the
// index had as done are made again where the disk has lost them; nothing that the index does not know as replaced or
// removed goes for that. Before anything else looks at the names.
void recover_renames(const destination& where, index::writer& to);

}  // namespace ferryfs::remote
