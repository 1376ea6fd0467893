// How often pictures came to be common that nobody has compared with the source: fetched ones, and ones that were found
// on both sides with the same size. What a verify saw is all there is while this stays the same (meta key `arrivals`).
#pragma once

#include <cstdint>

#include "index/transaction.hpp"

namespace ferryfs::index {

void record_arrivals(transaction& t);
// The same, if `e` is a picture that is common.
void record_if_common(transaction& t, const entry& e);
std::uint64_t arrivals(get_meta& meta);

}  // namespace ferryfs::index
