#pragma once

#include "index/model/entry.hpp"

namespace ferryfs::index {

// A new row that keeps the source's copy of `e`, under the same name, out of the view; `as` is a state that is_hidden.
inline entry hidden_row(const entry& e, state as) {
  entry hidden;
  hidden.parent = e.parent, hidden.name = e.name, hidden.day = e.day;
  hidden.source = e.source, hidden.target = e.target;
  hidden.state = as;
  return hidden;
}

}  // namespace ferryfs::index
