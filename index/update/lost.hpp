// Entering pictures as lost.
#pragma once

#include "index/model/entry.hpp"

namespace ferryfs::index {

class transaction;

// The source's copy of `e` went. Enters it as lost if it was a picture to be fetched, with no bytes of it here.
void apply_loss(transaction& t, const entry& e);

}  // namespace ferryfs::index
