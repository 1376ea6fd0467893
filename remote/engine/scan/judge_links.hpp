// Judges the source's symbolic links by where they lead, as far as the index knows.
#pragma once

#include "index/db/reader.hpp"
#include "index/db/writer.hpp"
#include "index/model/link_rules.hpp"
#include "remote/destination/destination.hpp"

namespace ferryfs::remote {

// Judges every one anew, as after each scan: those that are refused are counted so, and the others are gaps like any
// other. A refused one that ferryfs had put on the destination's disk is taken off it again. Costs what the links cost,
// however many pictures there are. Throws what the index throws.
void judge_links(const destination& where, index::writer& index, index::readers& readers,
                 const index::link_rules& rules);

}  // namespace ferryfs::remote
