// The index against itself and the disk, by SQL of its own: it shares no code with index/.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "tests/simulation/memory_disk.hpp"

namespace ferryfs::test {

// Of an index that nobody has open. Nothing: its counters are what a recount gives, and each row that says that a
// picture is here has its file, of that size. Else what is wrong.
std::optional<std::string> contradiction_of_index(const memory_disk& disk);
// The paths of what it shows as conflicts.
std::set<std::string> conflicts_of_index();

}  // namespace ferryfs::test
