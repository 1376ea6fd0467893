// The sets of the design, walked in the order of their paths. Memory: some hundred rows for each level of directories.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "index/db/reader.hpp"

namespace ferryfs::index {

// `source` and `destination` hold what that side has, under that side's names; the others are states.
enum class set { source, destination, common, missing, added, conflict, deleted, skipped, failed, refused };

// The set by its word on the command line; nothing: no such set.
std::optional<set> set_named(std::string_view word) noexcept;
std::string_view name_of(set) noexcept;

// Whether a picture, or its hidden row, belongs to it.
bool contains(set, const entry&) noexcept;
// The size of the picture in that set, in bytes.
std::uint64_t size_in(set, const entry&) noexcept;

struct listed_picture {
  inode ino;
  std::uint64_t size;  // as size_in
};

// Calls `each` with every picture of the set at or below `below`, and its path, sorted by the bytes of the whole path
// (as LC_ALL=C sort does), until it returns false. Directories that hold none are passed over without reading their
// pictures. The picture of the set `source` that was renamed here comes under its name on the source. No statement is
// left open while `each` runs: it may take its time, and then sees changes that were made meanwhile.
using on_line = std::function<bool(std::string_view path, const listed_picture& p)>;
void list(reader& r, set which, std::string_view below, const on_line& each);

// The same with the whole row of each, for about twice the time.
using on_picture = std::function<bool(const std::string& path, const entry& e)>;
void walk(reader& r, set which, std::string_view below, const on_picture& each);

}  // namespace ferryfs::index
