// The day a picture belongs to: the key of "newest day first" and of the calendar.
#pragma once

#include <cstdint>
#include <string_view>

namespace ferryfs {

// Returns YYYYMMDD. Taken from the path where it names a day: a component that begins with YYYYMMDD (the last such one
// wins, so the name of a picture outranks its directory) or the components YYYY/MM/DD; else from `mtime` (seconds
// since 1970, UTC).
std::int32_t day_of(std::string_view path, std::int64_t mtime) noexcept;

}  // namespace ferryfs
