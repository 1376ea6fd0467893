// The operator's decisions of gaps and conflicts, entered in the index inside a writer's job. Each function changes
// nothing, and returns false or 0, where the row is not (or not any more) what the decision is about.
//
// Skipped is a path, not one picture's bytes: it stays skipped when the source's copy becomes another (what changes all
// the time over there is what gets skipped), and what comes to a skipped directory later is a gap of its own. Fetching
// it (apply_unskip) ends that.
//
// A conflict that was decided for what is here stays decided while the source's copy keeps its size and time; another
// copy there is a conflict again.
#pragma once

#include <string>
#include <string_view>

#include "index/db/transaction.hpp"

namespace ferryfs::index {

// A gap, picture, link or directory, is accepted, or that a link is refused.
bool apply_skip(transaction& t, inode ino);
// A directory that can't be listed is accepted as that, until it can.
bool apply_unlisted_acceptance(transaction& t, inode directory);
// Takes an acceptance of a gap back: it is one like any other.
bool apply_unskip(transaction& t, inode ino);

// A deleted entry is a gap again. False: it is not deleted, or another has its name.
bool apply_undelete(transaction& t, inode ino);

// The destination's copy stays, and becomes new. `ino` is in conflict, or the hidden row of the source's copy under a
// name that stands for another entry here.
bool apply_keep_destination(transaction& t, inode ino);

// The source's picture takes the place of ours, when it has been fetched: until then ours stays on the disk as an
// outdated copy. For regular files in conflict.
bool apply_keep_source(transaction& t, inode ino);
// The fetch after apply_keep_source failed: the conflict stands as before.
void apply_failed_keep_source(transaction& t, inode ino);

// Both stay: the source's copy appears as `name` beside ours, a gap to be fetched from where the source has it. Returns
// its inode, or 0 where `name` is taken.
inode apply_keep_both(transaction& t, inode ino, const std::string& name);

// The name for the source's copy beside `name`: image.jpg, image.source.jpg, image.source-2.jpg and so on for `n` from
// 1; at most longest_name bytes. A directory's name has no extension.
std::string second_name(std::string_view name, bool directory, unsigned n);

}  // namespace ferryfs::index
