// Rows of entries that have left one side.
#pragma once

#include "index/db/transaction.hpp"
#include "index/model/directory_entry.hpp"

namespace ferryfs::index {

// `e` and all below it left the side `from`: rows that stand on neither side are erased, and entered as lost where they
// were to be fetched, unless they are not `wanted` any more. Decisions about them outlive that (see away.hpp).
void remove_from_side(transaction& t, const entry& e, side from, bool wanted = true);
// All entries below `directory` left the side `from`.
void remove_subtree(transaction& t, inode directory, side from, bool wanted = true);

// The source has the name of a hidden row no more. A decision about it stays; a row that only stood against
// something else does not.
void remove_hidden_name(transaction& t, const entry& hidden);
// The source has the name of a hidden row again.
void restore_hidden_name(transaction& t, const entry& hidden);

// The source was found to have this name, of listing_merge::not_named, no more.
void remove_from_source(transaction& t, inode ino);
// The name that `renamed` has on the source does not belong to it any more.
void detach_from_source(transaction& t, const entry& renamed);

}  // namespace ferryfs::index
