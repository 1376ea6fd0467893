// Counts by kind of picture, as reports have them: in one pass over all rows.
#pragma once

#include <array>
#include <string_view>

#include "index/db/reader.hpp"

namespace ferryfs::index {

enum class file_kind { jpg, raw, other };
inline constexpr std::array all_file_kinds{file_kind::jpg, file_kind::raw, file_kind::other};

// The kind by the end of the name, in either case: .jpg .jpeg, and the ends of cameras' raw pictures (.raw .cr2 .nef
// .dng …).
file_kind file_kind_of(std::string_view name) noexcept;
std::string_view name_of(file_kind) noexcept;

// The totals of each kind. Directories are not counted.
std::array<totals, all_file_kinds.size()> read_totals_by_kind(reader& r);

}  // namespace ferryfs::index
