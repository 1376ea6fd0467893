// An index that was made anew gets the decisions of the archive from their file.
#pragma once

#include "index/db/writer.hpp"
#include "remote/destination/destination.hpp"

namespace ferryfs::remote {

// Whether that is still to be done. Of an index with nothing in it that stands beside such a file this is noted first.
bool lacks_decisions(const destination& where, index::writer& index);

// Makes the decisions again, after each directory of the source was asked for and before the destination is scanned; a
// decision about a directory that could not be listed is left out, which the log says. Decisions that a killed process
// had made again are not made twice. Throws what the index throws, or std::system_error.
void replay_decisions(const destination& where, index::writer& index);

}  // namespace ferryfs::remote
