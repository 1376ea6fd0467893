// A rename or removal that is about to happen on the disk. It stands in the index until record_renamed,
// record_exchanged or record_removed, in the same transaction, takes it out: one that is found at a start was cut off
// between the disk and the index.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "index/entry.hpp"

namespace ferryfs::index {

struct rename_intent {
  inode ino;           // the entry that gets the name
  inode parent;        // where to
  std::string name;    // the new one
  inode exchanged;     // the entry that it swaps names with; 0: none; `ino` itself: see removal()
  std::uint64_t file;  // st_ino of what is renamed, on the destination's disk

  // The file `name` is to be removed: it is that of `ino`, which is removed, or it stands where `ino`, which has no
  // file on this disk, is to get its name. `file` is its remote::identity_of.
  static rename_intent removal(inode ino, inode parent, std::string name, std::uint64_t file) {
    return {ino, parent, std::move(name), ino, file};
  }
  bool is_removal() const noexcept { return exchanged == ino; }
};

}  // namespace ferryfs::index
