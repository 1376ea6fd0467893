// The end of a merge: what the listing did not name.
#include <algorithm>

#include "index/update/away.hpp"
#include "index/update/merge.hpp"
#include "index/update/merged_row.hpp"
#include "index/update/removal.hpp"
#include "index/update/rows_of.hpp"

namespace ferryfs::index {

// The rows of this directory that the listing did not name.
std::vector<inode> listing_merge::unseen(transaction& t) const {
  std::vector<inode> others;
  t.inodes(directory_, [&](inode ino) {
    if (!std::binary_search(seen_.begin(), seen_.end(), ino)) others.push_back(ino);
  });
  return others;
}

void listing_merge::keep_rows_of(transaction& t, const std::vector<std::string>& names) {
  for (const auto& name : names)
    for (const auto& row : {t.child(directory_, name), t.hidden_child(directory_, name)})
      if (row && row->source && !is_excluded(*row)) seen_.push_back(row->ino);
}

std::vector<entry> listing_merge::hidden_unseen(transaction& t) const {
  auto rows = rows_of(t.hidden_children, directory_);
  std::erase_if(rows, [&](const entry& e) {
    if (is_away(e.state) || has_left(e) || std::binary_search(seen_.begin(), seen_.end(), e.ino)) return true;
    // Renamed here after the listing had named it: its own row was seen.
    const auto renamed = t.by_origin(e.ino);
    return renamed && std::binary_search(seen_.begin(), seen_.end(), renamed->ino);
  });
  return rows;
}

void listing_merge::finish(transaction& t, const file_facts& attributes, std::int64_t mark) {
  if (!cached_) batch(t, {});  // a listing without a name has no batch
  if (!fresh_) {
    std::sort(seen_.begin(), seen_.end());
    for (const inode ino : unseen(t)) {
      const auto row = t.by_inode(ino);
      if (!row || !on(*row, side_) || (side_ == side::source && row->origin)) continue;
      if (recheck_ && recheck_(row->name)) continue;
      remove_from_side(t, *row, side_, !is_excluded(*row));
    }
    if (hides_) finish_hidden(t);
  }
  end(t, attributes, mark);
}

std::vector<listing_merge::unnamed> listing_merge::not_named(transaction& t) {
  std::vector<unnamed> names;
  if (!cached_) batch(t, {});  // as above
  if (fresh_) return names;
  std::sort(seen_.begin(), seen_.end());
  for (const inode ino : unseen(t)) {
    auto row = t.by_inode(ino);
    if (row && row->source && !row->origin && !is_excluded(*row)) names.push_back({ino, std::move(row->name)});
  }
  if (hides_)
    for (entry& row : hidden_unseen(t))
      if (row.source && !is_excluded(row)) names.push_back({row.ino, std::move(row.name)});
  return names;
}

// A name that a filter leaves out goes at once: that was asked for, and is no loss.
void listing_merge::finish_keeping(transaction& t, const file_facts& attributes, std::int64_t mark) {
  if (!fresh_ && is_excluded_) {
    std::sort(seen_.begin(), seen_.end());
    for (const inode ino : unseen(t)) {
      const auto row = t.by_inode(ino);
      if (row && row->source && !row->origin && is_excluded(*row)) remove_from_side(t, *row, side_, false);
    }
  }
  end(t, attributes, mark);
}

void listing_merge::end(transaction& t, const file_facts& attributes, std::int64_t mark) {
  const auto before = t.by_inode(directory_);
  if (side_ == side::destination || !before) return;
  entry after = *before;
  after.listed_mtime = mark;
  after.source = attributes;
  // The view shows the source's size and mtime of a directory, whatever happens to ours.
  if (after.local) after.local = normalized(after, side::destination, *after.local);
  after.state = classify(after);
  t.update(*before, after);
  // Also at the first listing: the kernel may have asked for the directory's attributes before, of the root above all.
  if (before->shown() != after.shown()) t.note({change::what::listing, directory_, {}});
}

void listing_merge::finish_hidden(transaction& t) {
  for (const entry& row : hidden_unseen(t)) remove_hidden_name(t, row);
}

}  // namespace ferryfs::index
