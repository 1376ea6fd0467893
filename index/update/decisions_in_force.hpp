// The decisions that an index holds, as lines: for an index that is older than the file of decisions, and where
// that file was taken away.
#pragma once

#include "index/db/transaction.hpp"

namespace ferryfs::index {

// Adds the lines that lead from what the source lists to what the index holds. The index does not know how it came to
// that, so an entry that was renamed goes by a name of this form meanwhile, from which no other can be in the way:
// .ferryfs-rename-N. Memory: a path for each decision.
void decide_what_is_in_force(transaction& t);

}  // namespace ferryfs::index
