// scan --rebuild: the index is made anew from both sides and from the file of decisions.
#pragma once

#include "remote/destination/destination.hpp"
#include "remote/engine/settings.hpp"

namespace ferryfs::fs {

// Writes down what the index alone knows of decisions, and puts it aside as .ferryfs/index.db.old, in place of an
// earlier one. The next process that opens the archive makes a new one. `where` was taken. Throws ferryfs::error
// (local), and then the index is where it was. Returns whether the archive was paused.
bool put_index_aside(const remote::settings& s, const remote::destination& where);

}  // namespace ferryfs::fs
