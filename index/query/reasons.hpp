// Lists that say of each name why it stands there: failures, what is refused, directories that could not be listed.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "index/db/reader.hpp"

namespace ferryfs::index {

// Whether the list of this name is one of them.
bool has_reasons(std::string_view which) noexcept;

// Calls `each` with what such a list has at or below `below`, sorted by the bytes of the paths, until it returns false.
// `reason` holds whatever bytes a server sent.
using on_reason = std::function<bool(std::string_view path, std::uint64_t size, const std::string& reason)>;
void list_reasons(reader& r, std::string_view which, std::string_view below, const on_reason& each);

}  // namespace ferryfs::index
