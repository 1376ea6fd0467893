// A rename or removal that is about to happen on the disk. It stands in the index until record_renamed,
// record_exchanged or record_removed, in the same transaction, takes it out: one that is found at a start was cut off
// between the disk and the index.
//
// Of what the source has, it stays after that as `done` until the disk is known to hold the change: after a power cut
// the index may tell of a change that the disk has lost, which is then made again. A rename of such a thing is durable
// in the index before the disk is asked for it: else the disk alone could hold it, and the source's copy would show
// again under the old name. A removal is not: after a power cut within seconds it may be undone as a whole.
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
  inode old_parent = 0;
  std::string old_name = {};
  bool done = false;  // in the index

  // The file `name` is to be removed: it is that of `ino`, which is removed, or it stands where `ino`, which has no
  // file on this disk, is to get its name. `file` is its remote::identity_of.
  static rename_intent removal(inode ino, inode parent, std::string name, std::uint64_t file) {
    return {ino, parent, name, ino, file, parent, name, false};
  }
  bool is_removal() const noexcept { return exchanged == ino; }
};

}  // namespace ferryfs::index
