// Decisions made again in an index that was made anew. Before that the source was listed; what lies on the destination
// may be known already or not: it is looked at again after it.
#pragma once

#include <cstdint>

#include "index/db/transaction.hpp"
#include "index/model/decision_line.hpp"

namespace ferryfs::index {

// False: the index has nothing that the line could be about (any more). Makes no line of its own, promises nothing, and
// notes the changes for the kernel. `now` is in nanoseconds since 1970.
bool replay(transaction& t, const decision_line& d, std::int64_t now);

}  // namespace ferryfs::index
