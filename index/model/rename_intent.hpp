// A rename or removal that is about to happen on the disk. It stands in the index until apply_rename,
// apply_exchange or apply_removal, in the same transaction, takes it out: one that is found at a start was cut off
// between the disk and the index.
//
// The intent of an entry that the source has stays after that as `done` until the disk is known to hold the change:
// after a power cut the index may tell of a change that the disk has lost, which is then made again. A rename of such a
// thing is durable in the index before the disk is asked for it: else the disk alone could hold it, and the source's
// copy would show again under the old name. A removal is not: after a power cut within seconds it may be undone as a
// whole.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "index/model/entry.hpp"

namespace ferryfs::index {

struct rename_intent {
  inode ino;           // the entry that gets the name
  inode parent;        // where to
  std::string name;    // the new one
  inode exchanged;     // the entry that it swaps names with; 0: none; `ino` itself: see removal()
  std::uint64_t file;  // what is renamed on the destination's disk, or removed: see remote::identity_of
  inode old_parent = 0;
  // Both paths as they were at the time, whatever becomes of their directories.
  std::string old_path = {}, new_path = {};
  std::uint64_t replaced = 0;  // what stood under the new name; 0: nothing
  bool done = false;           // in the index

  // The file `name` is to be removed: it is that of `ino`, which is removed, or it stands where `ino`, which has no
  // file on this disk, is to get its name.
  static rename_intent removal(inode ino, inode parent, std::string name, std::uint64_t file, std::string path = {}) {
    return {ino, parent, std::move(name), ino, file, parent, path, path, 0, false};
  }
  bool is_removal() const noexcept { return exchanged == ino; }
};

}  // namespace ferryfs::index
