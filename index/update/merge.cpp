#include "index/update/merge.hpp"

#include <algorithm>

#include "index/base/path.hpp"
#include "index/base/time.hpp"
#include "index/model/day.hpp"
#include "index/update/away.hpp"
#include "index/update/digest.hpp"
#include "index/update/lost.hpp"

namespace ferryfs::index {
namespace {

std::optional<side>& on(entry& e, which w) { return w == which::source ? e.source : e.local; }
const std::optional<side>& on(const entry& e, which w) { return w == which::source ? e.source : e.local; }

// A directory's own size and mtime on the destination change with every picture that arrives: the source's count, or
// the later time of a change that was made here.
side settled(const entry& e, which w, side s) {
  if (w != which::destination || !S_ISDIR(s.mode) || !e.source) return s;
  s.size = e.source->size;
  s.mtime = e.changed != 0 && e.local ? std::max(e.local->mtime, e.source->mtime) : e.source->mtime;
  // While it fills its owner may write to it, whatever its mode; where an older version made it, nobody else.
  const auto known = e.changed != 0 && e.local ? e.local->mode : e.source->mode;
  if (S_ISDIR(known) && (s.mode == (known | 0700U) || (s.mode & 07777) == 0700)) s.mode = known;
  return s;
}

std::vector<entry> rows_of(list_children& list, inode directory) {
  std::vector<entry> rows;
  list(directory, "", [&](entry&& e) {
    rows.push_back(std::move(e));
    return true;
  });
  return rows;
}

// The source has the name of a hidden row again.
void come_back(transaction& t, const entry& hidden) {
  if (!has_left(hidden)) return;
  entry after = hidden;
  after.listed.reset();
  t.update(hidden, after);
}

// The source has a hidden name no more. What was decided of it stays decided; what only stood against something else
// does not.
void leave_hidden(transaction& t, const entry& hidden) {
  const auto renamed = t.by_origin(hidden.ino);
  if (renamed && !is_hidden(renamed->state)) leave(t, *renamed, which::source);
  if (hidden.state == state::shadowed || (hidden.state == state::moved && !renamed)) return t.erase(hidden);
  entry after = hidden;
  after.listed = left_the_source;
  t.update(hidden, after);
}

bool is_another(const side& known, const side& now) {
  return known.size != now.size || known.mtime != now.mtime || (known.mode & S_IFMT) != (now.mode & S_IFMT);
}

// Symbolic links compare by what they point to.
bool other_target(const entry& before, const listed& name) {
  return S_ISLNK(name.attributes.mode) && before.target != name.target;
}

// Bytes that are here are not given up for a time alone.
void note_time(entry& e) {
  const bool time_only = e.fetched && e.local && e.state == state::missing && S_ISREG(e.source->mode) &&
                         S_ISREG(e.local->mode) && e.source->size == e.local->size && !is_doubt(e.reason);
  if (time_only)
    e.set_reason(reason::time_differs);
  else if (e.reason == reason::time_differs)
    e.forget_reason();
}

// What a row becomes when `name` stands on side `w`.
entry merged(const entry& before, which w, const listed& name) {
  entry after = before;
  on(after, w) = settled(after, w, name.attributes);
  if (S_ISLNK(name.attributes.mode) && (w == which::destination || !after.local)) after.target = name.target;
  if (w == which::destination) {
    after.uid = name.uid, after.gid = name.gid;
    const bool touched =
        !before.local || before.local->size != after.local->size || before.local->mtime != after.local->mtime;
    if (touched && S_ISREG(after.local->mode)) after.fetched = false, after.sha256.clear();
    if (touched) after.forget_reason();
  } else if (before.source != after.source && before.state == state::failed) {
    after.state = state::missing;
    after.forget_failure();
  } else if (before.source && before.reason == reason::source_differs && is_another(*before.source, name.attributes)) {
    after.forget_reason();
  }
  after.state = classify(after);
  if (w == which::source) note_time(after);
  if (w == which::source && before.local && other_target(before, name)) after.state = state::conflict;
  return after;
}

}  // namespace

listing_merge::listing_merge(which side, inode directory, std::string path, look_again look, left_out on_purpose)
    : side_(side),
      directory_(directory),
      path_(std::move(path)),
      look_(std::move(look)),
      on_purpose_(std::move(on_purpose)) {}

std::vector<subdirectory> listing_merge::batch(transaction& t, const std::vector<listed>& names) {
  if (!cached_) {
    const auto self = t.by_inode(directory_);
    cached_ = self && (self->listed || !self->source);
    fresh_ = true;
    losses_ = t.has_lost();
    t.children(directory_, "", [&](entry&&) { return fresh_ = false; });
    t.hidden_children(directory_, "", [&](entry&&) {
      fresh_ = side_ == which::destination && fresh_;
      return !(hides_ = side_ == which::source);
    });
  }
  std::vector<subdirectory> found;
  for (const listed& name : names) {
    const auto& s = name.attributes;
    const bool unsure = side_ == which::source && S_ISREG(s.mode) && (s.size == 0 || s.mtime == 0);
    const inode ino = unsure ? merge(t, beside_known(t, name)) : merge(t, name);
    if (ino != 0 && S_ISDIR(name.attributes.mode)) found.push_back({ino, join(path_, name.name), name.attributes});
  }
  return found;
}

// A size or time that the source does not tell is that which was learnt of it.
listed listing_merge::beside_known(transaction& t, listed name) const {
  auto row = t.hidden_child(directory_, name.name);
  if (row)
    if (auto moved = t.by_origin(row->ino)) row = std::move(moved);
  if (!row) {
    row = t.child(directory_, name.name);
    if (row && row->origin) row.reset();  // of another name on the source
  }
  if (row && row->source) name.attributes = beside(*row->source, name.attributes);
  return name;
}

// The source's copy of what was decided here is another now: both stand against each other again.
inode listing_merge::contest(transaction& t, const entry& hidden, const listed& name) {
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
std::optional<inode> listing_merge::merge_hidden(transaction& t, const listed& name) {
  const auto hidden = t.hidden_child(directory_, name.name);
  if (!hidden) return std::nullopt;
  const auto moved = t.by_origin(hidden->ino);
  const auto& away = moved ? moved : hidden;
  if (is_away(away->state)) {
    if (moved) come_back(t, *hidden);
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
  if (hidden->state == state::overruled && is_another(*hidden->source, name.attributes))
    return contest(t, *hidden, name);
  seen_.push_back(hidden->ino);
  if (hidden->source != std::optional(name.attributes) || has_left(*hidden)) {
    entry after = *hidden;
    after.source = name.attributes;
    if (has_left(after)) after.listed.reset();
    t.update(*hidden, after);
  }
  if (hidden->state == state::shadowed && !t.child(directory_, name.name)) {  // what stood before it went
    t.erase(*hidden);
    return insert(t, name);
  }
  if (!moved) return 0;
  if (moved->source != std::optional(name.attributes) || other_target(*moved, name)) change_row(t, *moved, name);
  return moved->ino;
}

// The source has something under a name that stands here for an entry from elsewhere.
inode listing_merge::shadow(transaction& t, const listed& name) {
  entry e;
  e.parent = directory_, e.name = name.name, e.source = name.attributes, e.target = name.target;
  e.day = day_of(join(path_, name.name), to_seconds(name.attributes.mtime));
  e.state = state::shadowed;
  seen_.push_back(t.insert(e));
  hides_ = true;
  return 0;
}

// The row of a name of which nothing is to be written, or 0. What `settled` or a target decides is not asked here.
inode listing_merge::unchanged(transaction& t, const listed& name) const {
  const auto& s = name.attributes;
  if (fresh_ || S_ISLNK(s.mode) || (side_ == which::destination && S_ISDIR(s.mode))) return 0;
  return (side_ == which::source ? t.on_source : t.on_destination)(directory_, name.name, s);
}

inode listing_merge::merge(transaction& t, const listed& name) {
  if (hides_)
    if (const auto ino = merge_hidden(t, name)) return *ino;
  if (fresh_)
    if (const inode ino = insert(t, name)) return ino;
  if (const inode ino = unchanged(t, name)) {
    seen_.push_back(ino);
    return ino;
  }
  const auto before = t.child(directory_, name.name);
  if (!before) return fresh_ ? 0 : insert(t, name);
  if (side_ == which::source && before->origin) return shadow(t, name);
  const auto& known = on(*before, side_);
  if (known != std::optional(settled(*before, side_, name.attributes)) || other_target(*before, name))
    if (!change_row(t, *before, name)) return 0;
  seen_.push_back(before->ino);
  return before->ino;
}

inode listing_merge::insert(transaction& t, listed name) {
  if (look_) {
    auto now = look_(name.name);
    if (!now) return 0;
    name = std::move(*now);
  }
  entry e;
  e.parent = directory_;
  e.name = name.name;
  e.day = day_of(join(path_, name.name), to_seconds(name.attributes.mtime));
  on(e, side_) = name.attributes;
  e.target = name.target;
  if (side_ == which::destination) e.uid = name.uid, e.gid = name.gid;
  e.state = classify(e);
  const inode ino = t.insert(e);
  if (ino == 0) return 0;
  if (losses_) t.regain(join(path_, name.name));
  if (!fresh_) seen_.push_back(ino);
  if (cached_.value_or(false)) {
    t.note({change::what::dentry, directory_, name.name});
    t.note({change::what::listing, directory_, {}});
  }
  return ino;
}

// False: the name is gone since; `finish` looks again and says so.
bool listing_merge::change_row(transaction& t, const entry& before, listed name) {
  if (look_) {
    auto now = look_(name.name);
    if (!now) return false;
    name = std::move(*now);
  }
  entry after = merged(before, side_, name);
  const auto& was = on(before, side_);
  if (was && S_ISDIR(was->mode) && !S_ISDIR(name.attributes.mode)) {
    leave_below(t, before.ino, side_);
    if (side_ == which::source) after.listed.reset();
  }
  if (before.is_local() && after.is_gap() && t.is_written(before.ino)) keep_open(after);
  t.update(before, after);
  note(t, before, after);
  return true;
}

void listing_merge::note(transaction& t, const entry& before, const entry& after) const {
  if ((before.shown().mode & S_IFMT) != (after.shown().mode & S_IFMT)) {
    t.note({change::what::dentry, after.parent, after.name});
    t.note({change::what::listing, after.parent, {}});
  }
  if (before.shown() != after.shown() || before.target != after.target)
    t.note({after.is_directory() ? change::what::listing : change::what::content, after.ino, {}});
}

// What stands in this directory and was not named.
std::vector<inode> listing_merge::unseen(transaction& t) const {
  std::vector<inode> others;
  t.inodes(directory_, [&](inode ino) {
    if (!std::binary_search(seen_.begin(), seen_.end(), ino)) others.push_back(ino);
  });
  return others;
}

void listing_merge::left_out_now(transaction& t, const std::vector<std::string>& names) {
  for (const auto& name : names)
    for (const auto& row : {t.child(directory_, name), t.hidden_child(directory_, name)})
      if (row && row->source && !on_purpose(*row)) seen_.push_back(row->ino);
}

std::vector<entry> listing_merge::hidden_unseen(transaction& t) const {
  auto rows = rows_of(t.hidden_children, directory_);
  std::erase_if(rows, [&](const entry& e) {
    return is_away(e.state) || has_left(e) || std::binary_search(seen_.begin(), seen_.end(), e.ino);
  });
  return rows;
}

void listing_merge::finish(transaction& t, const side& attributes, std::int64_t mark) {
  if (!fresh_) {
    std::sort(seen_.begin(), seen_.end());
    for (const inode ino : unseen(t)) {
      const auto row = t.by_inode(ino);
      if (!row || !on(*row, side_) || (side_ == which::source && row->origin)) continue;
      if (look_ && look_(row->name)) continue;
      leave(t, *row, side_, !on_purpose(*row));
    }
    if (hides_) finish_hidden(t);
  }
  end(t, attributes, mark);
}

std::vector<listing_merge::unnamed> listing_merge::not_named(transaction& t) {
  std::vector<unnamed> names;
  if (fresh_) return names;
  std::sort(seen_.begin(), seen_.end());
  for (const inode ino : unseen(t)) {
    auto row = t.by_inode(ino);
    if (row && row->source && !row->origin && !on_purpose(*row)) names.push_back({ino, std::move(row->name)});
  }
  if (hides_)
    for (entry& row : hidden_unseen(t))
      if (row.source && !on_purpose(row)) names.push_back({row.ino, std::move(row.name)});
  return names;
}

// A name that a filter leaves out goes at once: that was asked for, and is no loss.
void listing_merge::finish_keeping(transaction& t, const side& attributes, std::int64_t mark) {
  if (!fresh_ && on_purpose_) {
    std::sort(seen_.begin(), seen_.end());
    for (const inode ino : unseen(t)) {
      const auto row = t.by_inode(ino);
      if (row && row->source && !row->origin && on_purpose(*row)) leave(t, *row, side_, false);
    }
  }
  end(t, attributes, mark);
}

void listing_merge::end(transaction& t, const side& attributes, std::int64_t mark) {
  const auto before = t.by_inode(directory_);
  if (side_ == which::destination || !before) return;
  entry after = *before;
  after.listed = mark;
  after.source = attributes;
  // The view shows the source's size and mtime of a directory, whatever happens to ours.
  if (after.local) after.local = settled(after, which::destination, *after.local);
  after.state = classify(after);
  t.update(*before, after);
  if (before->listed && before->shown() != after.shown()) t.note({change::what::listing, directory_, {}});
}

void listing_merge::finish_hidden(transaction& t) {
  for (const entry& row : hidden_unseen(t)) leave_hidden(t, row);
}

void left_source(transaction& t, inode ino) {
  const auto row = t.by_inode(ino);
  if (row && row->source) is_hidden(row->state) ? leave_hidden(t, *row) : leave(t, *row, which::source);
}

void part_from_source(transaction& t, const entry& renamed) {
  if (!is_away(renamed.state)) leave(t, renamed, which::source);
  const auto left = t.by_inode(renamed.ino);
  if (!left) return;
  if (is_away(left->state)) return t.erase(*left);
  entry after = *left;
  after.origin.reset();
  t.update(*left, after);
}

void leave_below(transaction& t, inode directory, which side, bool wanted) {
  for (const entry& child : rows_of(t.children, directory))
    if (side == which::destination || !child.origin) leave(t, child, side, wanted);
  if (side == which::source)
    for (const entry& hidden : rows_of(t.hidden_children, directory)) leave_hidden(t, hidden);
}

void leave(transaction& t, const entry& e, which side, bool wanted) {
  if (!on(e, side)) return;
  entry after = e;
  on(after, side).reset();
  after.fetched = e.fetched && side == which::source && e.is_link();
  // A doubt about what is here stays with it; one about a file that went does not.
  if ((side == which::source) != is_doubt(e.reason)) after.forget_reason();
  if (side == which::source) after.listed.reset();
  if (S_ISDIR(on(e, side)->mode)) {
    leave_below(t, e.ino, side, wanted);
    // What is here below lies in a directory that was made but is not entered yet.
    if (side == which::source && !after.local && !rows_of(t.children, e.ino).empty()) after.local = e.source;
    // What is only on the source was given a name in there: the directory is made again when it comes.
    if (side == which::destination && !after.source && !rows_of(t.children, e.ino).empty()) after.local = e.local;
  }
  const bool stands = side == which::source ? after.local.has_value() : after.source.has_value();
  if (stands) {
    after.state = classify(after);
    t.update(e, after);
    if (e.shown() != after.shown()) t.note({change::what::content, e.ino, {}});
  } else {
    if (side == which::source && wanted) record_loss(t, e);
    side == which::source&& is_decided(t, e) ? put_away(t, e) : t.erase(e);
    t.note({change::what::dentry, e.parent, e.name});
    t.note({change::what::listing, e.parent, {}});
  }
}

}  // namespace ferryfs::index
