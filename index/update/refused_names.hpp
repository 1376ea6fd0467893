// What a listing, or a person, does to the names of the source that can't stand here.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "index/db/reader.hpp"
#include "index/db/transaction.hpp"

namespace ferryfs::index {

// What a listing of `directory` named of such; `whole`: it came to its end, so what it did not name is gone.
void record_refused(transaction& t, inode directory, const std::vector<refused_name>& names, bool whole);

// Accepts those at or below `path`, where a name may also be written as messages show it. Returns how many.
std::uint64_t skip_refused(transaction& t, reader& r, std::string_view path);

}  // namespace ferryfs::index
