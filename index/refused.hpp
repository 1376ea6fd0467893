// Names of the source that can't stand here: too long, empty, with a '/' or a zero byte. They are no rows, since a row
// has a name; they count until the source has them no more, or somebody accepts that.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "index/entry.hpp"

namespace ferryfs::index {

class reader;
class transaction;

struct refused_name {
  std::string name;    // bytes, as they were sent
  std::string reason;  // in words
};

struct refusals {
  std::int64_t files;
};

// What a listing of `directory` named of such; `whole`: it came to its end, so what it did not name is gone.
void record_refused(transaction& t, inode directory, const std::vector<refused_name>& names, bool whole);

// Calls `each` for those that count, in the order of their paths' bytes; false stops it. A path is the directory's in
// the view, '/' and the name.
void list_refused(reader& r, std::string_view below,
                  const std::function<bool(const std::string& path, const refused_name&)>& each);

// The same, and the symbolic links that are refused among them, each with its size.
void list_all_refused(reader& r, std::string_view below,
                      const std::function<bool(std::string_view path, std::uint64_t size)>& each);

// Accepts those at or below `path`, where a name may also be written as messages show it. Returns how many.
std::uint64_t skip_refused(transaction& t, reader& r, std::string_view path);

}  // namespace ferryfs::index
