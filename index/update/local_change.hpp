// Changes made through the mount, entered in the index inside a writer's job, after the destination's file system has
// made them. The source's copy of what is deleted or renamed stays known under a hidden row, so that no
// scan brings it back, and a renamed one is still fetched from where the source has it.
//
// None of these notes a change for the kernel, which asked for it. `now` is in nanoseconds since 1970.
#pragma once

#include <optional>
#include <string>

#include "index/db/transaction.hpp"

namespace ferryfs::index {

struct new_entry {
  inode parent;
  std::string name;
  file_facts local;
  std::optional<std::uint32_t> uid, gid;
  std::string target;  // of a symbolic link
};

// A file, directory or symbolic link was made; returns its inode. Where the view has the name, its row stands for it.
inode apply_creation(transaction& t, const new_entry& m, std::int64_t now);

// A name was removed, of a directory with nothing in it.
void apply_removal(transaction& t, inode ino, std::int64_t now);

// An entry got another name, in place of what stood there.
void apply_rename(transaction& t, inode ino, inode parent, const std::string& name, std::int64_t now);

// Two entries swapped their names.
void apply_exchange(transaction& t, inode one, inode other, std::int64_t now);

// A local file was written (`content`), or its mode, owner or times were set: `local` is how it stands now. A picture
// of both sides that was written is a conflict, also with the size of the source's, until a verify finds them the same.
void apply_local_change(transaction& t, inode ino, const file_facts& local, std::optional<std::uint32_t> uid,
                        std::optional<std::uint32_t> gid, bool content, std::int64_t now);

// An attribute that the index does not keep has changed: the entry gets `now` as its ctime.
void apply_ctime(transaction& t, inode ino, std::int64_t now);

// Attributes that were set of an entry whose bytes are still away: they are applied when the bytes arrive. False, and
// nothing is changed, where they arrived meanwhile.
struct deferred_attributes {
  std::optional<std::uint32_t> mode, uid, gid;
  std::optional<std::int64_t> mtime;  // nanoseconds since 1970
};
bool apply_deferred_attributes(transaction& t, inode ino, const deferred_attributes& w, std::int64_t now);

}  // namespace ferryfs::index
