// Names of the source that can't stand here: a listing reports them, the operator accepts them.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "index/db/reader.hpp"
#include "index/db/transaction.hpp"

namespace ferryfs::index {

// The names that a listing of `directory` reported; `whole`: it came to its end, so others that are known are gone.
void apply_refused_names(transaction& t, inode directory, const std::vector<refused_name>& names, bool whole);

// Accepts those at or below `path`, where a name may also be written as messages show it. Returns how many.
std::uint64_t skip_refused(transaction& t, reader& r, std::string_view path);

}  // namespace ferryfs::index
