#include "index/update/removal.hpp"

#include "index/update/away.hpp"
#include "index/update/lost.hpp"
#include "index/update/merged_row.hpp"
#include "index/update/rows_of.hpp"

namespace ferryfs::index {

void restore_hidden_name(transaction& t, const entry& hidden) {
  if (!has_left(hidden)) return;
  entry after = hidden;
  after.listed_mtime.reset();
  t.update(hidden, after);
}

void remove_hidden_name(transaction& t, const entry& hidden) {
  const auto renamed = t.by_origin(hidden.ino);
  if (renamed && !is_hidden(renamed->state)) remove_from_side(t, *renamed, side::source);
  if (hidden.state == state::shadowed || (hidden.state == state::moved && !renamed)) return t.erase(hidden);
  entry after = hidden;
  after.listed_mtime = left_the_source;
  t.update(hidden, after);
}

void remove_from_source(transaction& t, inode ino) {
  const auto row = t.by_inode(ino);
  if (row && row->source) is_hidden(row->state) ? remove_hidden_name(t, *row) : remove_from_side(t, *row, side::source);
}

void detach_from_source(transaction& t, const entry& renamed) {
  if (!is_away(renamed.state)) remove_from_side(t, renamed, side::source);
  const auto left = t.by_inode(renamed.ino);
  if (!left) return;
  if (is_away(left->state)) return t.erase(*left);
  entry after = *left;
  after.origin.reset();
  t.update(*left, after);
}

void remove_subtree(transaction& t, inode directory, side from, bool wanted) {
  for (const entry& child : rows_of(t.children, directory))
    if (from == side::destination || !child.origin) remove_from_side(t, child, from, wanted);
  if (from == side::source)
    for (const entry& hidden : rows_of(t.hidden_children, directory)) remove_hidden_name(t, hidden);
}

void remove_from_side(transaction& t, const entry& e, side from, bool wanted) {
  if (!on(e, from)) return;
  entry after = e;
  on(after, from).reset();
  after.fetched = e.fetched && from == side::source && e.is_link();
  // A doubt about what is here stays with it; one about a file that went does not.
  if ((from == side::source) != is_doubt(e.reason)) after.forget_reason();
  if (from == side::source) after.listed_mtime.reset();
  if (S_ISDIR(on(e, from)->mode)) {
    remove_subtree(t, e.ino, from, wanted);
    // Entries here below it lie in a directory that was made but is not entered yet.
    if (from == side::source && !after.local && !rows_of(t.children, e.ino).empty()) after.local = e.source;
    // An entry of the source alone was given a name in there: the directory is made again when that entry comes.
    if (from == side::destination && !after.source && !rows_of(t.children, e.ino).empty()) after.local = e.local;
  }
  const bool stands = from == side::source ? after.local.has_value() : after.source.has_value();
  if (stands) {
    after.state = classify(after);
    t.update(e, after);
    if (e.shown() != after.shown()) t.note({change::what::content, e.ino, {}});
  } else {
    if (from == side::source && wanted) apply_loss(t, e);
    from == side::source&& is_decided(t, e) ? put_away(t, e) : t.erase(e);
    t.note({change::what::dentry, e.parent, e.name});
    t.note({change::what::listing, e.parent, {}});
  }
}

}  // namespace ferryfs::index
