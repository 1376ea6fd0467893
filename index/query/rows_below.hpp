// The rows of some states at or below a path, directories and hidden ones included; unlike a set's walk, which yields
// pictures.
#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>

#include "index/db/reader.hpp"

namespace ferryfs::index {

// Calls `each` with every such row and its path in the view, until it returns false. A hidden row that stands under
// `below` itself is one of them. Directories without a picture of these states are passed over without reading their
// pictures. Memory: one directory's rows of these states, and the directories still to be looked at.
void rows_below(reader& r, std::initializer_list<state> states, std::string_view below,
                const std::function<bool(const std::string& path, const entry& e)>& each);

}  // namespace ferryfs::index
