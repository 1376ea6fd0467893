#include "remote/engine/decide/undelete.hpp"

#include <sys/stat.h>

#include <utility>
#include <vector>

#include "index/query/rows_below.hpp"
#include "index/update/decision.hpp"

namespace ferryfs::remote {

undelete_result undelete_below(index::writer& index, index::readers& readers, const std::string& path,
                               const std::stop_token& stop) {
  std::vector<std::pair<std::string, entry>> rows;
  index::rows_below(*readers.borrow(), {state::deleted}, path, [&](const std::string& where, const entry& e) {
    rows.emplace_back(where, e);
    return !stop.stop_requested();
  });
  undelete_result done;
  done.known = !rows.empty();
  for (const auto& [where, e] : rows) {
    const bool back = index.run([&, ino = e.ino](index::transaction& t) { return index::apply_undelete(t, ino); });
    if (!back && done.name_taken++ == 0) done.first_name_taken = where;
    if (back && e.source && !S_ISDIR(e.source->mode)) ++done.files;
  }
  return done;
}

}  // namespace ferryfs::remote
