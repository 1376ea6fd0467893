// The row that results when a listing of one side names it. Pure.
#pragma once

#include <optional>

#include "index/model/directory_entry.hpp"
#include "index/model/entry.hpp"

namespace ferryfs::index {

inline std::optional<side>& on(entry& e, which w) { return w == which::source ? e.source : e.local; }
inline const std::optional<side>& on(const entry& e, which w) { return w == which::source ? e.source : e.local; }

// `s`, as it was seen on side `w`, as the row of `e` keeps it. A directory's own size and mtime on the destination
// change with every picture that arrives: the source's count, or the later time of a change that was made here.
side normalized(const entry& e, which w, side s);

// Another size, time or type.
bool is_another(const side& known, const side& now);

// Symbolic links compare by what they point to.
bool has_other_target(const entry& before, const listed& name);

// The row `before`, now that `name` stands on side `w`.
entry merged_row(const entry& before, which w, const listed& name);

}  // namespace ferryfs::index
