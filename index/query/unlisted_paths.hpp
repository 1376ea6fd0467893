#pragma once

#include <string>
#include <vector>

#include "index/db/reader.hpp"

namespace ferryfs::index {

// The paths of the unlisted directories that are not accepted, sorted.
std::vector<std::string> unlisted_paths(reader& r);

}  // namespace ferryfs::index
