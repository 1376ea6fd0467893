#include "index/update/merge.hpp"

#include "index/base/path.hpp"
#include "index/base/time.hpp"
#include "index/model/day.hpp"
#include "index/update/merged_row.hpp"
#include "index/update/removal.hpp"
#include "index/update/verify_result.hpp"

namespace ferryfs::index {

listing_merge::listing_merge(side of, inode directory, std::string path, recheck look, exclusion is_excluded)
    : side_(of),
      directory_(directory),
      path_(std::move(path)),
      recheck_(std::move(look)),
      is_excluded_(std::move(is_excluded)) {}

std::vector<subdirectory> listing_merge::batch(transaction& t, const std::vector<directory_entry>& names) {
  if (!cached_) {
    const auto self = t.by_inode(directory_);
    cached_ = self && (self->listed_mtime || !self->source);
    fresh_ = true;
    has_lost_ = t.has_lost();
    t.children(directory_, "", [&](entry&&) { return fresh_ = false; });
    if (side_ == side::source) t.hidden_children(directory_, "", [&](entry&&) { return fresh_ = false; });
  }
  // Asked for each batch: a name may have been deleted or renamed here since the last one.
  if (side_ == side::source && !hides_) t.hidden_children(directory_, "", [&](entry&&) { return !(hides_ = true); });
  std::vector<subdirectory> found;
  for (const directory_entry& name : names) {
    const auto& s = name.attributes;
    const bool unsure = side_ == side::source && S_ISREG(s.mode) && (s.size == 0 || s.mtime == 0);
    const inode ino = unsure ? merge(t, beside_known(t, name)) : merge(t, name);
    if (ino != 0 && S_ISDIR(name.attributes.mode)) found.push_back({ino, join(path_, name.name), name.attributes});
  }
  return found;
}

// A size or time that the source does not send is the one that was learnt before.
directory_entry listing_merge::beside_known(transaction& t, directory_entry name) const {
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

// The row of a name of which nothing is to be written, or 0. What `normalized` or a target decides is not asked here.
inode listing_merge::unchanged(transaction& t, const directory_entry& name) const {
  const auto& s = name.attributes;
  if (fresh_ || S_ISLNK(s.mode) || (side_ == side::destination && S_ISDIR(s.mode))) return 0;
  return (side_ == side::source ? t.on_source : t.on_destination)(directory_, name.name, s);
}

inode listing_merge::merge(transaction& t, const directory_entry& name) {
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
  if (side_ == side::source && before->origin) return shadow(t, name);
  const auto& known = on(*before, side_);
  if (known != std::optional(normalized(*before, side_, name.attributes)) || has_other_target(*before, name))
    if (!change_row(t, *before, name)) return 0;
  seen_.push_back(before->ino);
  return before->ino;
}

inode listing_merge::insert(transaction& t, directory_entry name) {
  if (recheck_) {
    auto now = recheck_(name.name);
    if (!now) return 0;
    name = std::move(*now);
  }
  entry e;
  e.parent = directory_;
  e.name = name.name;
  e.day = day_of(join(path_, name.name), to_seconds(name.attributes.mtime));
  on(e, side_) = name.attributes;
  e.target = name.target;
  if (side_ == side::destination) e.uid = name.uid, e.gid = name.gid;
  e.state = classify(e);
  const inode ino = t.insert(e);
  if (ino == 0) return 0;
  if (has_lost_) t.remove_lost(join(path_, name.name));
  if (!fresh_) seen_.push_back(ino);
  if (cached_.value_or(false)) {
    t.note({change::what::dentry, directory_, name.name});
    t.note({change::what::listing, directory_, {}});
  }
  return ino;
}

// False: the name is gone since; `finish` looks again and says so.
bool listing_merge::change_row(transaction& t, const entry& before, directory_entry name) {
  if (recheck_) {
    auto now = recheck_(name.name);
    if (!now) return false;
    name = std::move(*now);
  }
  entry after = merged_row(before, side_, name);
  const auto& was = on(before, side_);
  if (was && S_ISDIR(was->mode) && !S_ISDIR(name.attributes.mode)) {
    remove_subtree(t, before.ino, side_);
    if (side_ == side::source) after.listed_mtime.reset();
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

}  // namespace ferryfs::index
