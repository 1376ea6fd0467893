// A decision outlives the absence of its name from the source, whose disk may not be mounted. The row of an entry that
// is then on neither side is put away, out of sight, and comes back as it was decided when the source has the name
// again.
//
// A row that is away keeps its inode. Under the source's own name it stays where it is, hidden. Renamed here, it stands
// in no directory (parent 0) and has its path in the view for a name; its `moved` row keeps the source's name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "index/db/transaction.hpp"

namespace ferryfs::index {

// The listed_mtime of a hidden row, which keeps a decision: the source has its name no more.
inline constexpr std::int64_t left_the_source = -1;
inline bool has_left(const entry& hidden) noexcept {
  return is_hidden(hidden.state) && hidden.listed_mtime == left_the_source;
}

// `e` has left both sides. Whether something was decided of it, or below it.
bool is_decided(transaction& t, const entry& e);
// Puts away `e`, whose row stood in the view.
void put_away(transaction& t, const entry& e);

// The source has `away` again, as `now` and, if it is a link, with `target`. Returns its inode, in the view; 0 where
// its place there is taken or gone, and then nothing of it is kept.
inode bring_back(transaction& t, const entry& away, const file_facts& now, const std::string& target);

// Whether the directory stands in which `away` has its name in the view.
bool has_place(transaction& t, const entry& away);
// The source has `away` again before that directory, which a scan may come by later: it stays out of sight until then.
void wait_for_place(transaction& t, const entry& away, const file_facts& now, const std::string& target);
// To be called at the end of a scan: brings back the entries that wait and have their place by now. Where none has,
// `scan_is_whole` says that no place will come: they come back under the source's names then. Returns the
// directories that came back, which are not listed yet; where there are any, they may hold the places of others.
std::vector<inode> bring_back_waiting(transaction& t, bool scan_is_whole);

// The path that it has in the view, or had.
std::optional<std::string> path_in_view(transaction& t, const entry& e);

}  // namespace ferryfs::index
