// The merge of names that hidden rows stand for.
#include "index/base/path.hpp"
#include "index/base/time.hpp"
#include "index/model/day.hpp"
#include "index/update/away.hpp"
#include "index/update/merge.hpp"
#include "index/update/merged_row.hpp"
#include "index/update/removal.hpp"

namespace ferryfs::index {

// The source's copy of what was decided here is another now: both stand against each other again.
inode listing_merge::reopen_conflict(transaction& t, const entry& hidden, const directory_entry& name) {
  const auto here = t.child(directory_, name.name);
  t.decide("reopened", join(t.path(directory_).value_or(path_), name.name));
  if (here && here->source) {
    entry after = hidden;
    after.source = name.attributes, after.target = name.target, after.state = state::shadowed;
    t.update(hidden, after);
    seen_.push_back(hidden.ino);
    return 0;
  }
  t.erase(hidden);
  if (!here) return insert(t, name);
  seen_.push_back(here->ino);
  return change_row(t, *here, name) ? here->ino : 0;
}

// A name that is hidden here: nothing if it is not; else the renamed entry that stands for it, or 0.
std::optional<inode> listing_merge::merge_hidden(transaction& t, const directory_entry& name) {
  const auto hidden = t.hidden_child(directory_, name.name);
  if (!hidden) return std::nullopt;
  const auto moved = t.by_origin(hidden->ino);
  const auto& away = moved ? moved : hidden;
  if (is_away(away->state)) {
    if (moved) restore_hidden_name(t, *hidden);
    if (!has_place(t, *away)) {
      wait_for_place(t, *away, name.attributes, name.target);
      seen_.push_back(hidden->ino);
      return 0;
    }
    const inode back = bring_back(t, *away, name.attributes, name.target);
    if (back == 0) return std::nullopt;
    seen_.push_back(hidden->ino), seen_.push_back(back);
    return back;
  }
  if (hidden->state == state::moved && !moved) {  // what had its name is gone by itself
    t.erase(*hidden);
    return std::nullopt;
  }
  if (hidden->state == state::kept_local && is_another(*hidden->source, name.attributes))
    return reopen_conflict(t, *hidden, name);
  seen_.push_back(hidden->ino);
  if (hidden->source != std::optional(name.attributes) || has_left(*hidden)) {
    entry after = *hidden;
    after.source = name.attributes;
    if (has_left(after)) after.listed_mtime.reset();
    t.update(*hidden, after);
  }
  if (hidden->state == state::shadowed && !t.child(directory_, name.name)) {  // what stood before it went
    t.erase(*hidden);
    return insert(t, name);
  }
  if (!moved) return 0;
  if (moved->source != std::optional(name.attributes) || has_other_target(*moved, name)) change_row(t, *moved, name);
  return moved->ino;
}

// The source has something under a name that stands here for an entry from elsewhere.
inode listing_merge::shadow(transaction& t, const directory_entry& name) {
  entry e;
  e.parent = directory_, e.name = name.name, e.source = name.attributes, e.target = name.target;
  e.day = day_of(join(path_, name.name), to_seconds(name.attributes.mtime));
  e.state = state::shadowed;
  seen_.push_back(t.insert(e));
  hides_ = true;
  return 0;
}

}  // namespace ferryfs::index
