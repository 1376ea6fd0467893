// Renames that a crash cut off between the disk and the index.
#pragma once

#include "index/writer.hpp"
#include "remote/destination.hpp"

namespace ferryfs::remote {

// Enters each in the index if the disk has done it, and forgets it otherwise. Before anything else looks at the names.
void settle_renames(const destination& where, index::writer& to);

}  // namespace ferryfs::remote
