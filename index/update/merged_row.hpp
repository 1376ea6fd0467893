// The row that results when a listing of one side names it. Pure.
#pragma once

#include <optional>

#include "index/model/directory_entry.hpp"
#include "index/model/entry.hpp"

namespace ferryfs::index {

inline std::optional<file_facts>& on(entry& e, side w) { return w == side::source ? e.source : e.local; }
inline const std::optional<file_facts>& on(const entry& e, side w) { return w == side::source ? e.source : e.local; }

// `s`, as it was seen on side `w`, as the row of `e` keeps it. A directory's own size and mtime on the destination
// change with every picture that arrives: the source's count, or the later time of a change that was made here.
file_facts normalized(const entry& e, side w, file_facts s);

// Another size, time or type.
bool is_another(const file_facts& known, const file_facts& now);

// Symbolic links compare by what they point to.
bool has_other_target(const entry& before, const directory_entry& name);

// The row `before`, now that `name` stands on side `w`.
entry merged_row(const entry& before, side w, const directory_entry& name);

}  // namespace ferryfs::index
