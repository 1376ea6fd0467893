// Counts by kind of picture, as reports have them: in one pass over all rows.
#pragma once

#include <array>
#include <string_view>

#include "index/db/reader.hpp"

namespace ferryfs::index {

enum class kind { jpg, raw, other };
inline constexpr std::array all_kinds{kind::jpg, kind::raw, kind::other};

// By the end of the name, in either case: .jpg .jpeg, and what cameras call their raw pictures (.raw .cr2 .nef .dng …).
kind kind_of(std::string_view name) noexcept;
std::string_view name_of(kind) noexcept;

// By kind. Directories are not counted.
std::array<totals, all_kinds.size()> read_kinds(reader& r);

}  // namespace ferryfs::index
