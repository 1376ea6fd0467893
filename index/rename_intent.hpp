// A rename that is about to happen on the disk. It stands in the index until record_renamed or record_exchanged, in the
// same transaction, takes it out: one that is found at a start was cut off between the disk and the index.
#pragma once

#include <cstdint>
#include <string>

#include "index/entry.hpp"

namespace ferryfs::index {

struct rename_intent {
  inode ino;           // the entry that gets the name
  inode parent;        // where to
  std::string name;    // the new one
  inode exchanged;     // the entry that it swaps names with; 0: none
  std::uint64_t file;  // st_ino of what is renamed, on the destination's disk
};

}  // namespace ferryfs::index
