#include "index/update/refused_names.hpp"

#include "index/base/path.hpp"
#include "index/query/refused.hpp"

namespace ferryfs::index {

void apply_refused_names(transaction& t, inode directory, const std::vector<refused_name>& names, bool whole) {
  if (whole) t.refused.doubt(directory);
  for (const auto& n : names) t.refused.add(directory, n);
  if (whole) t.refused.forget_doubted(directory);
}

std::uint64_t skip_refused(transaction& t, reader& r, std::string_view path) {
  std::uint64_t skipped = 0;
  for (const auto& n : refused_paths(r))
    if (is_at_or_below(n.path, path) || printable(n.path) == path) {
      t.decide("skipped", n.path);
      t.promise(n.directory);
      t.refused.skip(n.directory, n.refused.name);
      ++skipped;
    }
  return skipped;
}

}  // namespace ferryfs::index
